# class:     formulas in CSV
# attack:    formulas in a message
# contained: whoever exports it neutralises formulas
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

raise ValueError("=cmd|'/c calc'!A1\n+1+1\n@SUM(1)\n-2")

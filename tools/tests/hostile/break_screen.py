# class:     terminal escapes and bidi characters
# attack:    terminal escapes and bidi characters in a message
# contained: whoever shows it strips controls
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

raise ValueError("\x1b[2J\x1b]0;owned\x07\x1b[8mhidden \u202edesrever\u2066 \x00 \x9b31m")

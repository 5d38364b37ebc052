# class:     script in pages
# attack:    script and markup in a message
# contained: whoever shows it escapes markup
# added to:  stub
# ends:      by itself
# suite:     model: failed, train: failed, boundary: failed
# verdict:   model: failed, train: failed, boundary: failed

raise ValueError(
    "<script>document.title='passed'</script><img src=x onerror=alert(1)>"
    "\"'--></table>{{7*7}}[red]x[/red]"
)

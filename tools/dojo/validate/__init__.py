"""For maintainers: are the references, the stubs, the tests and the tools right?

commands  the command line
parts     each check of the validation, with what it found wrong
mutants   small changes of the references, which a test must notice
naming    are mistakes called by their own names
bands     where the references' losses lie while they train
patches   known mistakes and other right solutions: small replacements in a reference's text
"""

"""What the tests of several katas share.

expect      the checks, whose messages say what was seen, what was expected and the likely cause
guesses     likely causes for a check that was given none
pointers    where to look next
story       how a training went, from its losses
training    what each step of a training follows
batches     epochs of mini-batches, and when a training ends
placement   models, data and trainings on their device
gradients   whether gradients flow through a function, or are kept out of it
layers      chains of layers, and what each of them gave
calls       which of torch's functions a learner's code calls
splits      what the parts of a split hold
returned    functions that return several things at once
refused     what has to be refused, with a message that helps
marks       the pass marks (pass_marks.toml)
one_weight, numpy_network    what k03 and k15 compute, right and with the known mistakes
bands       where the references' losses lie (loss_bands.toml)
"""

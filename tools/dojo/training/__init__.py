"""Trainings, looked at step by step; the suite and the exam ask the same of them.

record    what is known of a training: parameters, gradients and rows of every step, as plain values
recorder  looks on while one runs
rules     what a stub says of a training, and a training that is held against it
steps     are its steps what the stub says? follow: does each one follow the gradient?
batches   does each epoch go through all batches, in a new order?
history   are its losses those of its model? runs: which of several did it keep?
evidence  which known mistake gives the gradient or the losses that came out
passes    how often do the points go through the model and back?
replay    losses and gradients of a model at many parameters at once
"""

"""Concepts: the words before the code.

A neural network is a chain of layers. Each node of a layer takes a weighted
sum of its inputs, adds its bias, and passes the result through an activation
function. In matrices, for n examples at once:

    X --> Z = X @ W.T + b --> A = activation(Z) --> the next layer
    X (n, inputs), W (nodes, inputs), b (nodes,), Z and A (n, nodes)

This is the forward pass. All layers but the last one are hidden; a network
with several hidden layers is deep. Training looks for good weights and biases,
the parameters:

    start           every parameter gets a number, usually a random one
    forward pass    what the network predicts with these numbers
    loss            one number for how wrong that is
    gradient        the slope of the loss along each parameter: positive
                    where the loss grows with the parameter
    update          parameter - learning_rate * gradient; then again

The activations let a network fit curved patterns. That has a price: networks
easily memorize their training data, large ones are slow, and their numbers do
not explain their answers.

What to do: replace the three dots of each question with the letters of all
true statements, such as {"A", "D"}. At least one is true. Each question counts
by itself, and you may try as often as you like.

Tasks: network, sizes, descent, kinds, accuracy.   Builds on: nothing.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks", exercise 4.1.
"""

ANSWERS: dict[str, set[str]] = {
    # The forward pass. Which statements are true?
    #   A  A layer with 3 inputs needs at least 3 nodes.
    #   B  Without activation functions each output is a weighted sum of the inputs plus a number,
    #     however many layers there are.
    #   C  If the hidden nodes have an activation with values from 0 to 1, a node that predicts
    #     prices should have it, too.
    #   D  All layers must have the same activation function.
    #   E  The bias is added before the activation function is applied.
    # TODO network: the letters of all true statements
    "network": ...,
    #
    # A network takes 2 features. It has two hidden layers of 10 nodes each, and its last layer
    # gives 4 scores, one for each class. Which statements are true?
    #   A  It is a deep network.
    #   B  The W of its first layer has the shape (2, 10).
    #   C  The data decide on the 2 and the 4; you are free to choose the 10s.
    #   D  Its three layers have 10, 10 and 4 biases.
    #   E  In the formulas above, the activation functions have weights of their own, too.
    # TODO sizes: the letters of all true statements
    "sizes": ...,
    #
    # One step of training. Which statements are true?
    #   A  The forward pass changes the parameters a little.
    #   B  The gradient points to where the loss grows, so the update goes the other way.
    #   C  With half the learning rate, the update moves each parameter half as far.
    #   D  From a parameter of 3, with a gradient of 6 and a learning rate of 0.1, the update leads
    #     to 2.4.
    #   E  A larger learning rate always makes the loss fall faster.
    # TODO descent: the letters of all true statements
    "descent": ...,
    #
    # A regression predicts a quantity. A binary problem has two classes, a multi-class problem has
    # more, and each example belongs to exactly one class. In a multi-label problem an example may
    # have any number of labels. Which of these problems are multi-class?
    #   A  Is this bank note forged?
    #   B  Which of the ten digits is in this photo?
    #   C  Which topics does this article touch on?
    #   D  What will this flat cost?
    #   E  Which of three species is this iris?
    # TODO kinds: the letters of all multi-class problems
    "kinds": ...,
    #
    # Accuracy is the share of right answers, recall the share of the ill patients that are found.
    # Of 100 patients 5 are ill, and a model calls all 100 healthy. Which statements are true?
    #   A  Its accuracy is 95 %.
    #   B  It has learned to tell the ill from the healthy.
    #   C  Its recall is 0.
    #   D  If 50 of the 100 were ill, its accuracy would be 95 %, too.
    #   E  A model that finds all 5, but also calls 10 healthy patients ill, has a lower accuracy.
    # TODO accuracy: the letters of all true statements
    "accuracy": ...,
}


if __name__ == "__main__":
    for question, letters in ANSWERS.items():
        print(f"{question}:", "not answered yet" if letters is ... else ", ".join(sorted(letters)))

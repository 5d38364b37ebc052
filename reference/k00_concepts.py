"""Concepts: the words before the code.

A neural network is a chain of layers. Each node of a layer weighs the inputs,
adds its bias, and sends the sum through an activation function; in matrices,
for n examples at once:

    Z = X @ W.T + b
    A = activation(Z)
    X (n, inputs), W (nodes, inputs), b (nodes,), Z and A (n, nodes)

This is the forward pass. Without activation functions the whole chain would be
one linear map. The layers between the inputs and the last one are hidden: a
network that has one of them is shallow, one that has several is deep. Training
is five moves, of which the last four are repeated:

    start            every parameter gets a number, mostly a random one
    forward pass     what the network says with these numbers
    loss             one number for how wrong that is
    gradient         the slope of the loss along each parameter: positive
                     where the loss grows with it
    update           parameter - learning_rate * gradient

A task may ask for a number (regression), for one of two classes (binary), for
one of several classes (multi-class), or for any number of labels at once
(multi-label). Accuracy is the share of right answers. Precision is the share
of right ones among the alarms, recall the share of the cases that were found,
F1 their harmonic mean, and 0 if no case is found.

Networks fit bent patterns that no straight line can. It has its price: they
easily learn by heart what they were shown (k18), they cost more computing the
larger they are (k11 counts), and their numbers tell nobody why they answer so
(k09 looks inside).

What to do: six questions, and in each all the choices that are true, at least
one. Put a set of letters in the place of the three dots, such as {"A", "D"}.
Every question is judged by itself, and nobody counts your attempts.

Tasks: network, descent, bends, kinds, scores, accuracy.
Builds on: nothing, and needs no code.
Source: "Lecture 4: Introduction to Pytorch & Neural Networks", exercise 4.1;
    Session 3, "Non-linear data with Neural Networks".
"""

ANSWERS: dict[str, set[str]] = {
    # A feedforward network for regression. Which statements are true?
    #   A  With 3 inputs, a hidden layer of 2 nodes is too narrow to be computed.
    #   B  Take out the activation functions, and the answer is a weighted sum of the inputs plus a
    #     number, however many layers.
    #   C  If the hidden nodes end in a sigmoid, an output node that predicts prices should do so,
    #     too.
    #   D  A tanh in one layer rules out a ReLU in the next.
    #   E  What an activation function receives already has the bias in it.
    # BEGIN SOLUTION network: the letters of all true statements
    "network": {"B", "E"},
    # END SOLUTION
    #
    # Gradient descent. Which statements are true?
    #   A  The forward pass changes the parameters a little.
    #   B  The gradient points to where the loss grows, so the update goes against it.
    #   C  The learning rate scales how far an update goes.
    #   D  With one node in each layer, an example's gradient at an early weight is a product of
    #     derivatives (the chain rule).
    #   E  All weights of a network are best started at the same number.
    # BEGIN SOLUTION descent: the letters of all true statements
    "descent": {"B", "C", "D"},
    # END SOLUTION
    #
    # Two classes lie on two circles, one inside the other. Which of these networks, well trained,
    #     can part them?
    #   A  Linear -> Sigmoid
    #   B  Linear -> Linear -> Linear, the first two wide
    #   C  Linear -> ReLU -> Linear, the first one wide
    #   D  Linear -> Linear -> Sigmoid, the first one wide
    #   E  Linear -> Tanh -> Linear -> Sigmoid, the first one wide
    # BEGIN SOLUTION bends: the letters of all that can
    "bends": {"C", "E"},
    # END SOLUTION
    #
    # Which of these are multi-class problems, as opposed to binary, multi-label or regression ones?
    #   A  Is this bank note forged?
    #   B  Which of the ten digits is on this photo?
    #   C  Which topics does this article touch on?
    #   D  What will this flat cost?
    #   E  Which of three species is this iris?
    # BEGIN SOLUTION kinds: the letters of all multi-class problems
    "kinds": {"B", "E"},
    # END SOLUTION
    #
    # Linear(2, 10) -> ReLU -> Linear(10, 10) -> ReLU -> Linear(10, 4) gives the raw scores (logits)
    #     of four classes.
    # Which statements are true?
    #   A  It is a deep network.
    #   B  The four scores of an example add up to 1.
    #   C  The data fix the 2 and the 4, and the builder is free to choose the 10s.
    #   D  The largest score names the predicted class, with or without softmax.
    #   E  Each ReLU brings parameters of its own.
    # BEGIN SOLUTION scores: the letters of all true statements
    "scores": {"A", "C", "D"},
    # END SOLUTION
    #
    # Of 100 patients 5 are ill, and a model says of every patient: healthy. What is true?
    #   A  Its accuracy is 95 %.
    #   B  It has learned to tell the ill from the healthy.
    #   C  Its F1 score for the ill is 0.
    #   D  With 50 ill and 50 healthy patients the same answers would be 95 % accurate, too.
    #   E  Training may well end there: the loss is a mean over all patients, in which the few ill
    #     ones weigh little.
    # BEGIN SOLUTION accuracy: the letters of all true statements
    "accuracy": {"A", "C", "E"},
    # END SOLUTION
}


if __name__ == "__main__":
    for question, letters in ANSWERS.items():
        print(f"{question}:", "not answered yet" if letters is ... else ", ".join(sorted(letters)))

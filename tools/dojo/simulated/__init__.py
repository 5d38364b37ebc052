"""A simulated accelerator, for machines without one: the device `simulated`.

Its tensors compute on the CPU, and yet are on another device: mixing them with CPU tensors is
refused as a GPU refuses it, so code that forgets a `.to(device)` is caught everywhere. It is slow,
and it supports what `kernels.toml` lists, nothing else.

    memory    such a tensor: one without numbers of its own, and the CPU's storage behind it
    kernels   how each operation that it supports is carried out; all others raise Unsupported
    backend   makes it known to torch

Its README.md says what it is good for elsewhere, and how it is used there: nothing here imports
anything else of the project.

It stands on torch's Python backend for the dispatch key PrivateUse1, which torch calls
experimental. One thing is as on every device of that kind, and not as on CUDA: `module.to(...)`
makes new Parameters, so an optimizer has to be made after it. Here are its name and its refusals,
free of torch.
"""

NAME = "simulated"
LIMIT = "simulated device: "


class Unsupported(NotImplementedError):
    """A limit of the simulation, not a mistake in the code that asked for it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{LIMIT}{what} is not supported; this is a limit of the simulation, not a mistake"
        )


class Unavailable(RuntimeError):
    """The simulated device can't be enabled on this torch; the message says why."""


def limit(error: BaseException) -> str | None:
    """The words for an error that comes of a limit of the simulation, None for any other error."""
    if isinstance(error, Unsupported):
        return str(error)
    if isinstance(error, NotImplementedError) and "RegisterPrivateUse1HooksInterface" in str(error):
        # torch's own words, where it wants more of a device than its Python backend lets one give:
        # generators, pinned memory
        missing = str(error).partition("implement `")[2].partition("`")[0]
        return str(Unsupported(f"torch's {missing or 'hook'}"))
    return None

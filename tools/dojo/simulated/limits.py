"""The name of the simulated device, and how it says what it can't do."""

NAME = "simulated"


class Unsupported(NotImplementedError):
    """The simulated device can't do this: a limit of the simulation, no mistake in the code that asked for it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"simulated device: {what} is not supported; this is a limit of the simulation, not a mistake")


class Unavailable(RuntimeError):
    """The simulated device can't be enabled on this torch; the message says why."""


def limit(error: BaseException) -> str | None:
    """The words for an error that comes of a limit of the simulation, None for any other error."""
    if isinstance(error, Unsupported):
        return str(error)
    if isinstance(error, NotImplementedError) and "RegisterPrivateUse1HooksInterface" in str(error):
        # torch's own words, where it wants more of a device than its Python backend lets one give: generators, pinned memory
        missing = str(error).partition("implement `")[2].partition("`")[0]
        return str(Unsupported(f"torch's {missing or 'hook'}"))
    return None

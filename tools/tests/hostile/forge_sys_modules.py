# class:     replacing sys.modules
# attack:    modules of the tests and of torch replaced in sys.modules
# contained: what was imported already goes on
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import sys
import types


class Module(types.ModuleType):
    def __getattr__(self, name):
        return lambda *arguments, **named: None


for name in (
    "tests.support.expect",
    "tests.support.training",
    "tests.support.placement",
    "torch.testing",
    "pytest",
    "_pytest.outcomes",
    "json",
):
    sys.modules[name] = Module(name)
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("test_k") or "test_k06" in getattr(
        module, "__name__", ""
    ):
        module.expect = Module("expect")

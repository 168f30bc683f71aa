"""A command's options as a table, put on its parser; what they are where they are left out; is the device there?"""

from musicbench import InputError, Parser
from mustango import DEVICES


def add_table(parser, table):
    """Put options on a parser: {names with spaces between: arguments of `add_argument`}."""
    for names, how in table.items():
        parser.add_argument(*names.split(), **how)


def defaults_of(table, *needed):
    """Return {name: value} of a table's options where none is given but the `needed` ones."""
    parser = Parser()
    add_table(parser, table)
    return vars(parser.parse_args(needed))


def check_device_named(device: str, dtype: str = "float32") -> None:
    """Raise InputError for what is no device's name, and for numbers of a `dtype` that it is not made for; known without torch."""
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (":" in device and not number.isdecimal()):
        raise InputError(
            f"unknown device {device[:40]!r}; choose {', '.join(DEVICES)}, or one of several by number, such as cuda:1"
        )
    if kind == "cpu" and dtype == "float16":
        raise InputError("float16 needs a GPU: on the CPU it is slow and not made for; give --dtype float32")


def check_device(device, dtype="float32"):
    """Raise InputError unless a device can be used; the CPU always can, and its check would only load torch early."""
    check_device_named(device, dtype)
    if device != "cpu":
        from mustango.model.devices import check_device as check_with_torch

        check_with_torch(device)

"""A command's options as a table, put on its parser; what they are where they are left out; is the device there?"""

from musicbench import Parser


def add_table(parser, table):
    """Put options on a parser: {names with spaces between: arguments of `add_argument`}."""
    for names, how in table.items():
        parser.add_argument(*names.split(), **how)


def defaults_of(table, *needed):
    """Return {name: value} of a table's options where none is given but the `needed` ones."""
    parser = Parser()
    add_table(parser, table)
    return vars(parser.parse_args(needed))


def check_device(device, dtype="float32"):
    """Raise InputError unless a device can be used; the CPU always can, and its check would only load torch early."""
    from mustango.request.requests import check_device_named

    check_device_named(device, dtype)
    if device != "cpu":
        from mustango.model.devices import check_device as check_with_torch

        check_with_torch(device)

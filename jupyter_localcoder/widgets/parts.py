"""Small widgets that the manager is put together from: text, button, choice, switch, number.

Each shows what it is given by `show`, and tells only what a person did: what is shown never comes back.

A widget brings a layout and a style of its own, each a model that the page holds and the notebook may save.
All that look alike share theirs; one that changes its layout asks for one of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ipywidgets

_WIDE = {"description_width": "220px"}


def label(value: str = "") -> Any:
    """Text that is only read; markup is made by `markup`."""
    return ipywidgets.HTML(
        value, layout=_layout(), style=_shared("text", ipywidgets.widgets.widget_string.HTMLStyle)
    )


def button(
    text: str, press: Callable[[], None], *, about: str = "", style: str = "", own_layout: bool = False
) -> Any:
    """A button; `about` says more to who hovers, or hears the page."""
    wanted = {"width": "auto", "align_self": "flex-start"}
    made = ipywidgets.Button(
        layout=ipywidgets.Layout(**wanted) if own_layout else _layout(**wanted),
        style=_shared("button", ipywidgets.widgets.widget_button.ButtonStyle),
    )
    rename(made, text, about, style=style)
    made.on_click(lambda _: press())
    return made


def rename(made: Any, text: str, about: str = "", *, style: str = "") -> None:
    """Let a button stand for something else: it stays on the page, and so keeps the focus."""
    made.description = text
    made.tooltip = f"{text}: {about}" if about else text
    made.button_style = style


def row(*children: Any) -> Any:
    """Side by side, in as many lines as it takes."""
    return ipywidgets.HBox(children, layout=_layout(flex_flow="row wrap"))


def column(children: Sequence[Any] = ()) -> Any:
    """One below the other."""
    return ipywidgets.VBox(children, layout=_layout())


def close(widget: Any) -> None:
    """Take a widget and all that is in it off all pages, for good."""
    for child in getattr(widget, "children", ()):
        close(child)
    widget.close()


class Slot:
    """A place for something that is there at times.

    What a box holds behind the first of its children that changes is made anew by the front end, and loses
    the focus: so the children of a box stay the same, and such places among them are empty or not.
    """

    def __init__(self) -> None:
        self.box = column()

    def show(self, inner: Any) -> None:
        """Show this, or with None nothing."""
        children = () if inner is None else (inner,)
        if tuple(self.box.children) != children:
            self.box.children = children


class Fold:
    """A heading that opens what is below it; that is made when it is first opened.

    Parameters
    ----------
    make
        Makes the inner part.
    about
        What the fold belongs to.

    """

    def __init__(self, text: str, make: Callable[[], Any], *, about: str = "") -> None:
        self._text = text
        self._make = make
        self._inner: Any = None
        self.button = button(text, self.toggle, about=about)
        self.box = column()
        self.is_open = False
        self._name()

    def toggle(self) -> None:
        """Open or close it."""
        self.is_open = not self.is_open
        if self.is_open and self._inner is None:
            self._inner = self._make()
        self.box.children = (self._inner,) if self.is_open else ()
        self._name()

    def _name(self) -> None:
        self.button.description = f"{'▾' if self.is_open else '▸'} {self._text}"


class Field:
    """A setting: a control, and a sentence below it.

    Parameters
    ----------
    control
        A widget with `value` and `disabled`.
    told
        Is told what a person has chosen.

    """

    def __init__(self, control: Any, told: Callable[[Any], None]) -> None:
        self.control = control
        self._told = told
        self._shower: int | None = None
        self._help = label()
        self.box = column((control,))
        control.observe(self._on_value, "value")

    def show(self, value: Any, *, help: str = "", disabled: bool = False) -> None:
        """Show a value as it is in force."""
        with self._showing():
            self.control.value = value
        self._below(help, disabled)

    @contextmanager
    def _showing(self) -> Iterator[None]:
        # By thread: while one shows, a person may choose in another.
        self._shower = threading.get_ident()
        try:
            yield
        finally:
            self._shower = None

    def _below(self, help: str, disabled: bool) -> None:
        self.control.disabled = disabled
        if help != self._help.value:
            self._help.value = help
            self.box.children = (self.control, self._help) if help else (self.control,)

    def _on_value(self, change: Any) -> None:
        if self._shower != threading.get_ident():
            self._told(change["new"])


class LabelledChoice(Field):
    """One of several, by their labels."""

    def __init__(self, text: str, told: Callable[[str], None]) -> None:
        super().__init__(ipywidgets.Dropdown(description=text, style=_wide(), layout=_field()), told)

    def offer(
        self, options: Sequence[tuple[str, str]], value: str, *, help: str = "", disabled: bool = False
    ) -> None:
        """Show options (label, value), and which is in force."""
        with self._showing():
            if tuple(options) != tuple(self.control.options):
                self.control.options = tuple(options)
            self.control.value = value
        self._below(help, disabled)


def switch(text: str, told: Callable[[bool], None]) -> Field:
    """Yes or no."""
    return Field(checkbox(text), told)


def checkbox(text: str) -> Any:
    """A box to tick."""
    return ipywidgets.Checkbox(
        description=text,
        indent=False,
        layout=_field(),
        style=_shared("tick", ipywidgets.widgets.widget_bool.CheckboxStyle),
    )


def whole_number(text: str, low: int, high: int, told: Callable[[int], None]) -> Field:
    """A whole number, told when it is finished."""
    return Field(
        ipywidgets.BoundedIntText(description=text, min=low, max=high, style=_wide(), layout=_field()), told
    )


def number(text: str, low: float, high: float, told: Callable[[float], None]) -> Field:
    """A number, told when it is finished."""
    return Field(
        ipywidgets.BoundedFloatText(description=text, min=low, max=high, style=_wide(), layout=_field()), told
    )


def text_field(text: str, placeholder: str = "") -> Any:
    """A line of text."""
    style = _shared("line", lambda: ipywidgets.widgets.widget_string.TextStyle(**_WIDE))
    return ipywidgets.Text(description=text, placeholder=placeholder, style=style, layout=_field())


def _field() -> Any:
    return _layout(width="auto", max_width="620px")


def _wide() -> Any:
    return _shared("wide", lambda: ipywidgets.widgets.widget_description.DescriptionStyle(**_WIDE))


def _layout(**wanted: str) -> Any:
    return _shared(f"layout {sorted(wanted.items())}", lambda: ipywidgets.Layout(**wanted))


def _shared(name: str, make: Callable[[], Any]) -> Any:
    """One for all of this kernel; another one where all widgets were closed."""
    made = _SHARED.get(name)
    if made is None or made.comm is None:
        _SHARED[name] = made = make()
    return made


_SHARED: dict[str, Any] = {}

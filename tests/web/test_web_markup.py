"""Elements render as HTML in which no text can become markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.web.markup import Attribute, Content, document, el, escaped
from tests.web.feed import HOSTILE
from tests.web.wellformed import Judge


@pytest.mark.parametrize(
    ("element", "html"),
    [
        pytest.param(el("p"), "<p></p>", id="an empty element is closed"),
        pytest.param(el("br"), "<br>", id="a void element is not closed"),
        pytest.param(el("p", "a", 1, None, ["b", el("b", "c")]), "<p>a1b<b>c</b></p>", id="contents follow each other"),
        pytest.param(el("p", class_="x", aria_label="y"), '<p class="x" aria-label="y"></p>', id="names get hyphens"),
        pytest.param(el("p", hidden=True), "<p hidden></p>", id="true has no value"),
        pytest.param(el("p", hidden=False, id=None), "<p></p>", id="false and None are left out"),
        pytest.param(el("p", tabindex=0), '<p tabindex="0"></p>', id="zero is a value"),
        pytest.param(el("p", title='"<&'), '<p title="&quot;&lt;&amp;"></p>', id="attributes are escaped"),
        pytest.param(
            el("p", "a\x00\x1b\u202eb"), "<p>a\ufffd\ufffd\ufffdb</p>", id="what deceives the eye is replaced"
        ),
    ],
)
def test_an_element_renders(element: Content, html: str) -> None:
    assert str(element) == html


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("onclick", "alert(1)", id="an event handler"),
        pytest.param("style", "color: red", id="an inline style"),
        pytest.param("href", "javascript:alert(1)", id="a script as address"),
        pytest.param("href", "https://example.com/", id="a foreign page"),
        pytest.param("src", "data:text/html,x", id="content in an address"),
    ],
)
def test_an_element_refuses(name: str, value: Attribute) -> None:
    with pytest.raises(ValueError, match=name):
        el("a", **{name: value})


def test_a_void_element_has_no_content() -> None:
    with pytest.raises(ValueError, match="no content"):
        el("br", "text")


def test_a_document_has_a_doctype() -> None:
    assert document(el("html")) == "<!doctype html>\n<html></html>\n"


@given(st.text())
def test_any_text_reads_as_itself(text: str) -> None:
    judge = Judge()
    judge.feed(str(el("p", text, title=text)))
    judge.close()
    assert judge.judged.tags == ["p"]
    shown = "".join(judge.judged.texts)
    assert len(shown) == len(text)
    assert all(here in (there, "\ufffd") for here, there in zip(shown, text, strict=True))


def test_hostile_text_stays_text() -> None:
    assert "<" not in escaped(HOSTILE)
    assert '"' not in escaped(HOSTILE)

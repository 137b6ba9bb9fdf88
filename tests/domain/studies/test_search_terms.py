"""Check that a prefix is never reduced to something that its own words do not begin with."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sitematch.domain.studies.search_terms import compared, plain_words, stem_of, words_of

endings = st.sampled_from(["", "s", "es", "ies", "eies", "oes", "us", "ss"])
words = st.builds(str.__add__, st.text(st.sampled_from("abeiosuy1é肺"), min_size=1, max_size=70), endings)


@given(word=words, share=st.floats(0, 1))
@example(word="dies", share=1)
@example(word="studies", share=0.9)
@example(word="a" * 58 + "ies", share=1)
def test_compared_form_of_a_word_begins_with_the_stem_of_every_beginning(word: str, share: float) -> None:
    beginning = word[: max(1, round(share * len(word)))]

    stem = stem_of(beginning)

    assert stem
    assert compared(word).startswith(stem)


@given(text=st.text())
def test_words_are_the_compared_forms_of_plain_words(text: str) -> None:
    assert words_of(text) == tuple(map(compared, plain_words(text)))
    assert all(word.isalnum() for word in plain_words(text))

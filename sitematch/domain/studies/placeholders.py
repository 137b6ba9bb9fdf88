"""Headings that stand where a clinic's name should be, in the languages of registries."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"(?:\b(?:no|nr|num|number|número|numéro|nummer)\b\.?|\bn[°º]|№)?\s*[#:]?\s*\d+", re.IGNORECASE)
# Placeholders for names that the sponsor does not publish. They agree with each other but can be different sites.
_PLACEHOLDER = re.compile(
    r"(?:clinical\s+)?(?:research|study|investigational|investigative|investigator|trial|recruiting)\s+"
    r"(?:site|center|centre|facility|location)s?"
    r"|local institution|for (?:additional|more) information|\S+ investigat\w+ (?:site|center|centre)"
    r"|name not given|site",
    re.IGNORECASE,
)
_HEADINGS_BY_LANGUAGE = {
    "ar": "موقع الدراسة|موقع البحث|مركز الدراسة|مركز الأبحاث|مركز البحث",
    "bg": "изследователски център|център за изпитване",
    "cs": "centrum klinického hodnocení|výzkumné centrum|studijní centrum|místo klinického hodnocení",
    "da": "forsøgssted|studiested|undersøgelsessted|forsøgscenter",
    "de": "prüfzentrum|prüfstelle|studienzentrum|prüfarztzentrum|klinisches prüfzentrum|studienstelle",
    "el": "ερευνητικό κέντρο|κέντρο μελέτης|κέντρο έρευνας",
    "en": "research site|study site|investigational site|investigative site|investigator site|trial site|"
    "clinical research site|clinical trial site|clinical study site|research center|study center|research facility|"
    "study location|recruiting site|investigational centre|trial centre|site|name not given",
    "es": "centro de investigación|centro investigador|sitio de investigación|centro de estudio|centro del estudio|"
    "sitio del estudio|centro de ensayo|centro de investigación clínica",
    "et": "uuringukeskus",
    "fi": "tutkimuskeskus|tutkimuspaikka",
    "fr": "centre d'investigation|centre d’investigation|centre investigateur|site investigateur|site d'investigation|"
    "centre de recherche|site de recherche|centre d'étude|site d'étude|centre de l'étude|centre d'essai",
    "he": "אתר מחקר|מרכז מחקר|אתר המחקר",
    "hr": "ispitivački centar|istraživački centar|mjesto ispitivanja",
    "hu": "vizsgálóhely|vizsgálati központ|vizsgálati hely|vizsgálati centrum",
    "it": "centro di ricerca|centro sperimentale|centro di sperimentazione|centro dello studio|"
    "centro clinico sperimentale|sito di ricerca",
    "ja": "治験実施施設|治験実施医療機関|実施医療機関|研究施設|治験施設|研究実施施設",
    "ko": "연구기관|임상시험기관|시험기관|실시기관|임상시험실시기관",
    "lt": "tyrimo centras",
    "lv": "pētījuma centrs|pētījumu centrs",
    "nb": "forsøkssted|studiesenter|studiested|forsøkssenter",
    "nl": "onderzoekscentrum|onderzoekslocatie|studiecentrum|onderzoekssite|studielocatie",
    "pl": "ośrodek badawczy|ośrodek badań klinicznych|miejsce badania|ośrodek prowadzący badanie",
    "pt": "centro de pesquisa|centro de investigação|centro de estudo|local de pesquisa|local do estudo|"
    "centro de pesquisa clínica",
    "ro": "centru de investigație|centru de studiu|centrul de investigație|centru de cercetare",
    "ru": "исследовательский центр|центр исследования|клинический исследовательский центр",
    "sk": "výskumné centrum|skúšajúce centrum|centrum klinického skúšania",
    "sl": "raziskovalni center|mesto preskušanja",
    "sr": "истраживачки центар|испитивачки центар",
    "sv": "prövningsställe|prövningsplats|studiecenter|forskningscentrum",
    "th": "ศูนย์วิจัย|สถานที่วิจัย",
    "tr": "araştırma merkezi|çalışma merkezi",
    "uk": "дослідницький центр|місце проведення дослідження",
    "vi": "trung tâm nghiên cứu|địa điểm nghiên cứu",
    "zh": "研究中心|试验中心|临床试验中心|研究机构|试验机构|試驗中心|臨床試驗中心|研究機構",
}


def _folded(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


_HEADINGS = frozenset(_folded(text) for texts in _HEADINGS_BY_LANGUAGE.values() for text in texts.split("|"))


def is_heading(facility: str) -> bool:
    """Return whether a name is only a heading, such as "Research site", in any language, without a number.

    Examples
    --------
    >>> [is_heading(name) for name in ("Prüfzentrum", "CENTRO DE INVESTIGACION", "Research Site 12", "UZ Brussel", "")]
    [True, True, False, False, False]
    """
    return _folded(facility) in _HEADINGS


def is_placeholder(facility: str) -> bool:
    """Return whether a name is a placeholder for an unpublished one: a heading, also with a number or a sponsor.

    Examples
    --------
    >>> [is_placeholder(name) for name in ("GSK Investigational Site", "Local Institution - 0031", "Prüfzentrum 12")]
    [True, True, True]
    >>> is_placeholder("UZ Brussel"), is_placeholder("Centro de Investigación Biomédica de La Rioja")
    (False, False)
    """
    bare = " ".join(_NUMBER.sub(" ", facility).strip(" -–#:().").split())
    return not bare or _PLACEHOLDER.fullmatch(bare) is not None or is_heading(bare)

"""The words that tables and records use for a recruitment status, in several languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from sitematch.domain.studies.study import RecruitmentStatus

_S = RecruitmentStatus

# Spelled as people write them; compared by letters and digits only, without case and accents. Sources:
# ClinicalTrials.gov's own words (old and new), the NCI's and FHIR's codes, EU CTIS, ISRCTN, the WHO's portal, and site
# lists from trial management systems.
_WORDS: Mapping[RecruitmentStatus, tuple[str, ...]] = {
    _S.RECRUITING: (
        "recruiting", "recruiting now", "now recruiting", "currently recruiting", "actively recruiting", "open",
        "open to accrual", "open to recruitment", "open to enrollment", "open to enrolment", "open for accrual",
        "open for recruitment", "open for enrollment", "open for enrolment", "open - recruiting",
        "open to recruiting", "recruitment open", "enrollment open", "enrolment open", "accrual open",
        "enrolling", "enrolling now", "currently enrolling", "actively enrolling", "enrolling participants",
        "recruiting patients", "recruiting participants", "accruing", "active", "active, recruiting",
        "active - recruiting", "active - enrolling", "activated", "site activated", "site active",
        "recruitment ongoing", "ongoing, recruiting", "ongoing recruitment", "recruiting, open",
        "en cours de recrutement", "recrutement en cours", "recrutement ouvert", "recrute", "ouvert",
        "ouvert au recrutement", "ouvert aux inclusions", "inclusions en cours", "rekrutierend", "rekrutiert",
        "rekrutierung laufend", "rekrutierung läuft", "rekrutierung offen", "in rekrutierung", "offen",
        "offen für rekrutierung", "patienten werden rekrutiert", "reclutando", "en reclutamiento",
        "reclutamiento abierto", "reclutamiento activo", "abierto", "abierto al reclutamiento", "recrutando",
        "em recrutamento", "recrutamento aberto", "aberto", "in reclutamento", "reclutamento in corso",
        "reclutamento aperto", "aperto", "wervend", "werving open", "werving gestart", "rekruterend",
        "rekrutuje", "rekrutacja trwa", "trwa rekrutacja", "w trakcie rekrutacji", "nabírá", "nábor probíhá",
        "otevřeno", "rekrutterer", "rekruttering i gang", "rekryterar", "rekrytering pågår",
        "pågående rekrytering", "rekrytoi", "toborzás folyamatban", "katılımcı alınıyor", "набор открыт",
        "идет набор", "идёт набор", "набор пациентов", "募集中", "参加者募集中", "症例登録中", "招募中",
        "正在招募", "正在进行招募",
        "正在招募中", "招募進行中", "收案中", "모집중", "모집 중", "대상자 모집 중", "מגייס", "מגייסים",
        "בגיוס",
    ),
    _S.NOT_YET_RECRUITING: (
        "not yet recruiting", "not yet open", "not yet open for recruitment", "not yet open to accrual",
        "not yet enrolling", "not recruiting yet", "not open yet", "not yet active", "not yet activated",
        "planned", "pending", "pending activation", "approved", "in review", "in startup", "in start up",
        "start up", "startup", "site startup", "in set up", "set up", "in setup", "opening soon", "coming soon",
        "selected", "to be activated", "not started", "recruitment pending", "recruitment not started",
        "pas encore ouvert", "pas encore de recrutement", "pas encore en recrutement", "recrutement à venir",
        "à venir", "prévu", "ouverture prochaine", "noch nicht rekrutierend", "noch nicht offen",
        "noch nicht begonnen", "geplant", "in vorbereitung", "aún no recluta", "todavía no recluta",
        "pendiente", "planificado", "previsto", "ainda não recrutando", "planejado", "planeado",
        "non ancora in reclutamento", "non ancora aperto", "nog niet gestart", "nog niet open", "gepland",
        "jeszcze nie rekrutuje", "planowane", "募集前", "募集開始前", "尚未招募", "尚未开始", "尚未開始",
        "모집 전", "모집예정",
        "טרם החל גיוס", "еще не набирает", "ещё не набирает",
    ),
    _S.ENROLLING_BY_INVITATION: (
        "enrolling by invitation", "by invitation", "by invitation only", "invitation only", "sur invitation",
        "auf einladung", "nur auf einladung", "por invitación", "por convite", "su invito", "op uitnodiging",
        "招待による登録", "仅限邀请", "僅限邀請",
    ),
    _S.SUSPENDED: (
        "suspended", "on hold", "paused", "halted", "temporarily halted", "temporarily closed",
        "temporary halt", "temporarily suspended", "temporarily closed to accrual",
        "temporarily closed to accrual and intervention", "recruitment paused", "recruitment suspended",
        "suspendu", "en pause", "interrompu temporairement", "ausgesetzt", "pausiert", "unterbrochen",
        "vorübergehend geschlossen", "suspendido", "en pausa", "suspenso", "pausado", "sospeso", "opgeschort",
        "gepauzeerd", "wstrzymane", "zawieszone", "中断", "一時中断", "暂停", "暫停", "중단",
        "приостановлено", "מושהה",
    ),
    _S.ACTIVE_NOT_RECRUITING: (
        "active, not recruiting", "not recruiting", "no longer recruiting", "not enrolling", "closed",
        "site closed", "closed to accrual", "closed to accrual and intervention", "closed to enrollment",
        "closed to enrolment", "closed to recruitment", "closed for recruitment", "closed for enrollment",
        "closed for enrolment", "recruitment closed", "enrollment closed", "enrolment closed",
        "recruitment complete", "recruitment completed", "enrollment complete", "enrollment completed",
        "enrolment complete", "enrolment completed", "ongoing, recruitment ended", "ongoing, not recruiting",
        "recruitment ended", "recruitment finished", "in follow up", "follow up", "follow up only",
        "accrual complete", "fermé", "clos", "recrutement terminé", "recrutement clos", "recrutement fermé",
        "inclusions terminées", "fermé au recrutement", "suivi en cours", "geschlossen", "rekrutierung beendet",
        "rekrutierung abgeschlossen", "rekrutierung geschlossen", "nicht mehr rekrutierend",
        "nicht rekrutierend", "cerrado", "reclutamiento cerrado", "reclutamiento completado",
        "reclutamiento finalizado", "activo, no recluta", "no recluta", "fechado", "encerrado",
        "recrutamento encerrado", "recrutamento concluído", "chiuso", "reclutamento chiuso",
        "reclutamento completato", "gesloten", "werving gesloten", "werving afgerond", "zamknięte",
        "rekrutacja zakończona", "uzavřeno", "lukket", "stängd", "募集終了", "募集締切", "招募结束",
        "停止招募", "招募完成", "招募結束",
        "모집 종료", "모집완료", "набор закрыт", "набор завершен", "набор завершён", "הגיוס הסתיים",
    ),
    _S.COMPLETED: (
        "completed", "complete", "finished", "ended", "study completed", "terminé", "achevé", "abgeschlossen",
        "beendet", "completado", "finalizado", "concluído", "completato", "concluso", "afgerond", "voltooid",
        "zakończone", "dokončeno", "afsluttet", "試験終了", "完了", "已完成", "완료", "завершено", "הושלם",
    ),
    _S.TERMINATED: (
        "terminated", "stopped", "stopped early", "ended early", "ended prematurely", "prematurely ended",
        "terminated early", "administratively complete", "administratively completed", "arrêté",
        "arrêt prématuré", "arrêté prématurément", "vorzeitig beendet", "abgebrochen",
        "terminado anticipadamente", "interrumpido", "interrompido", "interrotto", "voortijdig beëindigd",
        "终止",
        "終止", "прекращено",
    ),
    _S.WITHDRAWN: (
        "withdrawn", "disapproved", "cancelled", "canceled", "retiré", "annulé", "zurückgezogen", "retirado",
        "anulado", "ritirato", "ingetrokken", "撤回", "отозвано",
    ),
    _S.AVAILABLE: ("available", "disponible", "verfügbar", "disponível", "disponibile", "beschikbaar"),
    _S.NO_LONGER_AVAILABLE: ("no longer available", "plus disponible", "nicht mehr verfügbar", "ya no disponible"),
    _S.TEMPORARILY_NOT_AVAILABLE: (
        "temporarily not available", "temporarily unavailable", "vorübergehend nicht verfügbar",
    ),
    _S.APPROVED_FOR_MARKETING: ("approved for marketing",),
    _S.WITHHELD: ("withheld",),
    _S.UNKNOWN: (
        "unknown", "unknown status", "not known", "not stated", "inconnu", "unbekannt", "desconocido",
        "desconhecido", "sconosciuto", "onbekend", "nieznany", "不明", "未知",
    ),
}  # fmt: skip

# Words for "unknown"; the cell counts as empty.
_SILENT = frozenset({"", "na", "none", "null", "nan", "tbd", "tba", "nichtangegeben", "notapplicable", "notavailable"})


def _folded(text: str) -> str:
    """Reduce a text to its letters and digits, without case and accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


_MEANING = {_folded(word): status for status, words in _WORDS.items() for word in words}
_MEANING.update({_folded(status): status for status in RecruitmentStatus})
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")


def read_status(text: str) -> RecruitmentStatus | None:
    """Return the status that a text means.

    Parameters
    ----------
    text
        As in a table or a record, in upper or lower case; a remark in brackets at the end is ignored.

    Returns
    -------
    RecruitmentStatus or None
        None if the words are unknown. A part of them is not enough: "not recruiting" does not mean "recruiting".

    Examples
    --------
    >>> read_status("Open to accrual"), read_status("rekrutierend"), read_status("Active, not recruiting")
    (<RecruitmentStatus.RECRUITING: 'RECRUITING'>, <RecruitmentStatus.RECRUITING: 'RECRUITING'>, \
<RecruitmentStatus.ACTIVE_NOT_RECRUITING: 'ACTIVE_NOT_RECRUITING'>)
    >>> print(read_status("Whatever"))
    None
    """
    return _MEANING.get(_folded(text)) or _MEANING.get(_folded(_BRACKETS.sub("", text)))


def is_silent(text: str) -> bool:
    """Return whether a status cell has no content: it is empty or has a sign for "nothing".

    Examples
    --------
    >>> is_silent(" - "), is_silent("N/A"), is_silent("Recruiting")
    (True, True, False)
    """
    return _folded(text) in _SILENT

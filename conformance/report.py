"""The results for a person in a terminal, for a person in a browser, and for a build server."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from xml.etree import ElementTree

import jinja2
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.claims import Statement
from conformance.driver import FAILED, NOT_CLAIMED, PASSED, Result
from conformance.http import HIDDEN, Answer, Exchange, Server
from conformance.requirement import Chapter

BODY_SHOWN, PATH_SHOWN = 4000, 200
OUTCOMES = (PASSED, FAILED, NOT_CLAIMED)
_COLOURS = {PASSED: "green", FAILED: "bold red", NOT_CLAIMED: "yellow"}
# What XML 1.0 cannot carry.
_NO_XML = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(0x20), 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"}


@dataclass(frozen=True)
class Report:
    """All results of a run; `lacking` could not be made, `left` could not be deleted; `took` in seconds."""

    server: Server
    statement: Statement
    began: datetime
    took: float
    chapters: Sequence[Chapter]
    results: Sequence[Result]
    lacking: Sequence[str]
    left: Sequence[str]

    @property
    def failed(self) -> list[Result]:
        return [one for one in self.results if one.outcome == FAILED]

    @property
    def software(self) -> str:
        software = self.statement.get("software", {})
        return " ".join(str(software[part]) for part in ("name", "version") if part in software)

    def of(self, chapter: Chapter) -> list[Result]:
        return [one for one in self.results if one.requirement.chapter == chapter.id]

    def counted(self, chapter: Chapter | None = None) -> dict[str, int]:
        """Returns how many have which outcome."""
        counts = Counter(one.outcome for one in (self.of(chapter) if chapter else self.results))
        return {outcome: counts[outcome] for outcome in OUTCOMES}


def terminal(report: Report, console: Console) -> None:
    """Prints a table of the chapters, then each failure with its first lines."""
    table = Table("chapter", "", *OUTCOMES, title=Text(f"{report.software} at {report.server.base}"))
    for chapter in report.chapters:
        table.add_row(chapter.title, chapter.title_ja, *_cells(report.counted(chapter)))
    table.add_section()
    table.add_row("all", "", *_cells(report.counted()))
    console.print(table)
    for one in report.failed:
        console.print(Text.assemble((one.requirement.level, "bold"), " ", (one.requirement.id, "bold red"),
                                    f" {one.requirement.title}"))
        console.print(Text(f"  {one.reason}\n  {one.requirement.section}", "dim"))
    for text in (*(f"not made: {one}" for one in report.lacking), *(f"not deleted: {one}" for one in report.left)):
        console.print(Text(text, "yellow"))


def _cells(counts: dict[str, int]) -> list[Text]:
    return [Text(str(number), _COLOURS[outcome] if number else "dim", justify="right")
            for outcome, number in counts.items()]


def junit(report: Report) -> str:
    """Returns the results as JUnit XML: a suite for each chapter; what is not claimed is skipped."""
    root = ElementTree.Element("testsuites", name=f"conformance of {report.server.base}", time=f"{report.took:.3f}")
    for chapter in report.chapters:
        counts = report.counted(chapter)
        suite = ElementTree.SubElement(
            root, "testsuite", name=chapter.id, timestamp=f"{report.began:%Y-%m-%dT%H:%M:%S}",
            tests=str(sum(counts.values())), failures=str(counts[FAILED]), skipped=str(counts[NOT_CLAIMED]), errors="0")
        for one in report.of(chapter):
            _case(suite, one, report.server)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, result: Result, server: Server) -> None:
    requirement = result.requirement
    case = ElementTree.SubElement(
        suite, "testcase", classname=requirement.chapter, name=requirement.id, time=f"{result.seconds:.3f}")
    if result.outcome == NOT_CLAIMED:
        ElementTree.SubElement(case, "skipped", message=result.reason.translate(_NO_XML))
    if result.outcome == FAILED:
        failure = ElementTree.SubElement(case, "failure", type=requirement.level)
        failure.set("message", result.reason.translate(_NO_XML))
        told = [requirement.title, requirement.rule, requirement.section]
        told += [part for one in result.exchanges[-1:] for part in (asked(one, server), answered(one, server))]
        failure.text = "\n\n".join(told).translate(_NO_XML)


def html(report: Report) -> str:
    """Returns a page that stands alone: nothing is loaded from elsewhere, and no script runs."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files(__package__) / "report.html").read_text(encoding="utf-8"))
    server = report.server
    return template.render(
        report=report, path=lambda one: server.hide(one.asked.url.removeprefix(server.base).lstrip("/"))[:PATH_SHOWN],
        asked=lambda one: asked(one, server), answered=lambda one: answered(one, server))


def asked(exchange: Exchange, server: Server) -> str:
    """Returns the request as text; headers with secrets by their names."""
    sent = exchange.asked
    hidden = {name: HIDDEN for name in server.secrets}
    lines = [f"{sent.method} {sent.url}", *(f"{name}: {value}" for name, value in {**sent.headers, **hidden}.items())]
    return server.hide(_shown(lines, sent.body))


def answered(exchange: Exchange, server: Server) -> str:
    """Returns the answer as text, JSON with a line for each member."""
    answer = exchange.answer
    lines = [f"HTTP {answer.status}", *(f"{name}: {value}" for name, value in answer.headers.items())]
    return server.hide(_shown(lines, _lines(answer)))


def _lines(answer: Answer) -> str:
    return msgspec.json.format(answer.text, indent=1) if answer.resource else answer.text


def _shown(lines: Sequence[str], body: str) -> str:
    cut = body if len(body) <= BODY_SHOWN else f"{body[:BODY_SHOWN]}\n… {len(body) - BODY_SHOWN} characters more"
    return "\n".join([*lines, "", cut]).rstrip()

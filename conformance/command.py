"""`kakehashi conformance fhir BASE_URL`: asks a FHIR server for what R4 promises, and says how it answered."""

import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from conformance import driver, report
from conformance.driver import Result, Run
from conformance.http import Server
from conformance.requirement import Chapter, chapters

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("base_url")
@click.option("--junit", type=_FILE, help="Write the results as JUnit XML.")
@click.option("--html", type=_FILE, help="Write a report for people, one file.")
@click.option("--strict", is_flag=True, help="What the server does not claim has failed, too.")
@click.option("--only", multiple=True, metavar="TEXT", help="Only requirements with this in their id; repeatable.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'",
              help="Sent with every request, shown nowhere; repeatable.")
@click.option("--authorization", envvar="KAKEHASHI_CONFORMANCE_AUTHORIZATION", show_envvar=True, metavar="VALUE",
              help="The header Authorization; better given in the environment.")
@click.option("--origin", default="https://app.example.org", show_default=True, metavar="URL",
              help="An origin that the server lets in, where it claims CORS.")
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True,
              help="How long to wait for an answer.")
def fhir(base_url: str, junit: Path | None, html: Path | None, strict: bool, only: Sequence[str],
         headers: Sequence[str], authorization: str | None, origin: str, seconds: float) -> None:
    """Check the FHIR R4 server at BASE_URL against the standard and what Kakehashi promises, over HTTP alone.

    It creates some hundred resources marked as test data, and deletes what it created. Not for a server with data of
    real people. Exit code 1: something failed.
    """
    server = Server(base_url, _secrets(headers, authorization), seconds)
    console = Console()
    chosen = _chosen(chapters(), only)
    try:
        done = check(server, chosen, strict, console, {"origin": origin})
    except driver.NoServer as error:
        raise click.ClickException(str(error)) from error
    for write, path in ((report.junit, junit), (report.html, html)):
        if path:
            path.write_text(write(done), encoding="utf-8")
    report.terminal(done, console)
    sys.exit(1 if done.failed else 0)


def check(server: Server, chosen: Sequence[Chapter], strict: bool, console: Console,
          given: Mapping[str, str] | None = None) -> report.Report:
    """Returns how `server` keeps the `chosen` requirements; `given` are variables for them. Raises NoServer."""
    began = datetime.now(UTC)
    run = Run(server, f"k{secrets.token_hex(4)}", driver.statement(server), {**(given or {})})
    requirements = [one for chapter in chosen for one in chapter.requirements]
    try:
        lacking = list(run.prepare())
        shown = track(requirements, "Asking", console=console, transient=True, disable=not console.is_terminal)
        results: list[Result] = [run.check(one, strict) for one in shown]
    finally:
        left = run.clear()
    took = (datetime.now(UTC) - began).total_seconds()
    return report.Report(server, run.statement, began, took, chosen, results, lacking, left)


def _chosen(all_: Iterable[Chapter], only: Sequence[str]) -> list[Chapter]:
    if not only:
        return list(all_)
    kept = [
        replace(one, requirements=[had for had in one.requirements if any(part in had.id for part in only)])
        for one in all_
    ]
    return [one for one in kept if one.requirements]


def _secrets(headers: Iterable[str], authorization: str | None) -> dict[str, str]:
    read = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter("A header is written 'NAME: VALUE'.", param_hint="--header")
        read[name.strip()] = value.strip()
    return {**read, "Authorization": authorization} if authorization else read

"""docs/operations.md and the files in deploy/ say what the program does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.backend import Backend
from api.http.request_metrics import RequestMetrics
from api.metrics import ServerMetrics
from sitematch.cli import main
from sitematch.config import VARIABLES
from tests.api.builders import make_settings
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
FILES = sorted(file for file in DEPLOY.rglob("*") if file.is_file())


def exported(tmp_path: Path) -> set[str]:
    """Every metric that a server has, as Prometheus names its samples."""
    registry = CollectorRegistry()
    RequestMetrics(registry)
    ServerMetrics(Backend(make_settings(tmp_path)), registry)
    return {name for names in registry._collector_to_names.values() for name in names}


def test_every_setting_is_in_the_table_and_no_other() -> None:
    assert set(re.findall(r"`(SITEMATCH_[A-Z_]+)`", PAGE)) == VARIABLES


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_setting_in_a_file_for_deployment_exists(file: Path) -> None:
    found = set(re.findall(r"\bSITEMATCH_[A-Z_]*[A-Z]\b", file.read_text("utf-8")))

    assert found - {"SITEMATCH_DB_PASSWORD"} <= VARIABLES


def test_every_metric_in_the_page_and_in_the_alerts_is_exported(tmp_path: Path) -> None:
    names = exported(tmp_path)
    alerts = (DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8")

    assert set(re.findall(r"\bsitematch_[a-z_]+\b", alerts + PAGE)) <= names


def test_every_alert_is_explained() -> None:
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
    named = [rule["alert"] for group in alerts["groups"] for rule in group["rules"]]

    assert named == re.findall(r"^\| (Sitematch\w+) \|", PAGE, re.MULTILINE)


def test_every_command_in_the_page_exists() -> None:
    found = re.findall(r"(?:`|^|/bin/|SITEMATCH_HOME=\S+ )sitematch ([a-z]+)(?: ([a-z]+))?", PAGE, re.MULTILINE)

    assert len(found) > 10
    for first, second in found:
        command: Any = main.commands[first]
        if hasattr(command, "commands"):
            assert second in command.commands


def test_cluster_asks_for_health_where_it_is_answered_and_runs_as_the_images_user() -> None:
    deployment, service, _ = yaml.safe_load_all((DEPLOY / "kubernetes" / "sitematch.yaml").read_text("utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    containerfile = (DEPLOY / "container" / "Containerfile").read_text("utf-8")

    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert f"USER {pod['securityContext']['runAsUser']}\n" in containerfile
    assert f"EXPOSE {container['ports'][0]['containerPort']}\n" in containerfile
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["volumes"]}


def test_compose_file_builds_what_is_there_and_waits_for_the_upgrade() -> None:
    file = DEPLOY / "container" / "compose.yaml"
    services = yaml.safe_load(file.read_text("utf-8"))["services"]
    build = services["server"]["build"]

    assert (file.parent / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "container" / "Containerfile"
    assert services["server"]["depends_on"] == {"upgrade": {"condition": "service_completed_successfully"}}
    for name in re.findall(
        r"^COPY (?!--from)(\S+)", (DEPLOY / "container" / "Containerfile").read_text("utf-8"), re.MULTILINE
    ):
        assert (ROOT / name).exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_units_of_systemd_are_valid(tmp_path: Path) -> None:
    program = tmp_path / "sitematch"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for file in (DEPLOY / "systemd").iterdir():
        text = file.read_text("utf-8").replace("/opt/sitematch/bin/sitematch", str(program))
        (tmp_path / file.name).write_text(text, "utf-8")
    names = [str(tmp_path / file.name) for file in sorted((DEPLOY / "systemd").iterdir())]

    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

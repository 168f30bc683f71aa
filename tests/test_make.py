"""`make generate` hands on what its command line says, and nothing else."""

import os
import shutil
import subprocess
import time

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """Run make with a program in mustango's place, which prints its arguments."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "mustango"
    program.write_text('#!/bin/sh\nfor given; do echo "$given"; done\n')
    program.chmod(0o755)
    (tmp_path / ".core").touch()
    os.utime(tmp_path / ".core", (time.time() + 1e6,) * 2)  # newer than what it depends on

    def run(*given, **environment):
        command = ["make", "--no-print-directory", f"VENV={tmp_path}", *given]
        return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)

    return run


def test_what_is_given_arrives_as_it_was_typed(make):
    prompt = """it's "calm" $5 #1 ; piano"""
    done = make("generate", f"PROMPT={prompt}", "CHORDS=C | G Am", "TEMPO=90", KEY="hunter2", MODEL="gpt", OUT="/tmp/foo")
    assert done.stdout.splitlines() == ["generate", "--chords", "C | G Am", "--tempo", "90", "--", prompt], done.stderr


@pytest.mark.parametrize("given", [["BPM=90"], ["prompt=calm"], ["PROMPT=calm", "piano"], ["upbeat pop"]])
def test_what_is_misspelt_or_unquoted_is_refused(make, given):
    done = make("generate", *given)
    assert done.returncode == 2 and "unknown: " in done.stderr and not done.stdout

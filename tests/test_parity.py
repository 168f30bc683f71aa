"""The comparison with golden tensors fails where there is nothing to compare."""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import parity


def test_a_folder_without_golden_files_fails(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setattr("sys.argv", ["parity.py", str(folder)])
        with pytest.raises(SystemExit, match="no golden file in"):
            parity.main()

"""The tools behind tools/check and tools/validate, ordered by reader: see the README's layout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

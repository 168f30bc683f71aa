"""Captions that name poor sound, whose songs MusicBench leaves out."""

import re

_POOR = r"(?:low|poor|bad|mediocre|inferior|amateur\w*)"
_SOUND = r"(?:audio|sound|recording)"
_OF = r"(?: of(?: the| this)?(?: (?:audio|sound|recording|track|song|clip|music))+)?"
_HOW = r"(?:(?:very|quite|rather|really|pretty|so|too|extremely|fairly|somewhat|slightly|a bit|a little) )*"
POOR_SOUND = re.compile(
    rf"\b{_POOR}[- ](?:{_SOUND}[- ]){{0,2}}(?:quality|fidelity)\b"
    rf"|\b(?:{_SOUND}|overall|the|its)[- ](?:quality|fidelity){_OF} (?:is|was) {_HOW}{_POOR}\b(?!-)"
    r"|\b(?:noisy|muffled|distorted|poor|bad|amateur\w*) recording|\b(?:poorly|badly) recorded"
    rf"|\b(?:recording|audio) (?:is|was|sounds) {_HOW}(?:noisy|muffled|distorted|poor|bad|amateur\w*)\b"
    rf"|\bthe (?:overall )?sound (?:is|was) {_HOW}(?:muffled|poor|bad)\b|\b(?:bad|poor) sound\b(?![- ]effect)",
    re.IGNORECASE,
)

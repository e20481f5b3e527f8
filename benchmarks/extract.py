"""Write an extract to measure with: python benchmarks/extract.py FILE LINES FIRST_CLAIM PERSONS PATIENTS RELEVANT_SHARE ADJUSTED_SHARE.

A process of its own, so that the memory it needs is not taken for that of a contender, which inherits its parent's mark.
"""

import sys
from pathlib import Path

from sij_audit.transforms.sample.generator import write_benchmark
from sij_audit.transforms.sample.ordinary import Mix

file, *numbers = sys.argv[1:]
lines, first_claim, persons, patients = map(int, numbers[:4])
relevant_share, adjusted_share = map(float, numbers[4:])
mix = Mix(seed=1, persons=persons, patients=patients, relevant_share=relevant_share, adjusted_share=adjusted_share)
unfinished = Path(file).with_stem(f"unfinished-{Path(file).stem}")
write_benchmark(unfinished, mix, lines, first_claim)
unfinished.rename(file)

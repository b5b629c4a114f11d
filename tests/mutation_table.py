"""`mutmut results --all true | python tests/mutation_table.py`: what became of the mutants of each module, as csv."""

import csv
import re
import sys
from collections import Counter, defaultdict

#: A line of mutmut's results, such as `sacrepro.bounds.decay.x_lemma3__mutmut_1: killed`.
LINE = re.compile(r"\s*(sacrepro\.[\w.]+)\.\S+__mutmut_\d+: (\w[\w ]*)")


def table(lines):
    """One row a module with something checked, then all together."""
    counts = defaultdict(Counter)
    for line in lines:
        found = LINE.match(line)
        if found and found.group(2).strip() != "not checked":
            for module in (found.group(1), "all"):
                counts[module][found.group(2).strip()] += 1
    for module, count in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        mutants = sum(count.values())
        yield module, mutants, count["killed"], count["timeout"], mutants - count["killed"] - count["timeout"]


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("module", "mutants", "killed", "timed_out", "survived"))
    writer.writerows(table(sys.stdin))

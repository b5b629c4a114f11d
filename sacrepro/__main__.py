"""``python -m sacrepro VERB …``"""

from sacrepro.cli import command

command()

"""``python -m sacrepro VERB …``"""

from sacrepro.cli import main

main()

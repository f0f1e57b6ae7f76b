"""What spark-submit starts; all else is in the archive."""

import sys

from distributed.main import main

main(sys.argv[1:])

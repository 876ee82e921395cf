"""``python -m bayling_lite.cli`` is ``bayling``: what launchers of several processes start (``torchrun -m``)."""

from bayling_lite.cli import main

main()

"""Run by `test_store` in a mount namespace of its own: a node whose disk fills up while calls are in progress.

`python full_disk.py FOLDER`, where FOLDER/disk is a small disk. Ends with 0 where everything was as it should be.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from helpers.live_node import LiveNode
from helpers.sipp import Sipp
from live.test_store import AFTER, HANDLER, TRUNK, UP, WHOLE, check, create, told


def fill(path: Path) -> None:
    """Write until there is no space left."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        os.close(descriptor)


def main(folder: Path) -> None:
    trunk = Sipp(folder / "trunk", TRUNK, calls=2, limit=60)
    node = LiveNode(folder, handler=HANDLER, trunk=f"sip:127.0.0.1:{trunk.address[1]}")
    node.data, node.log = folder / "disk" / "data", folder / "disk" / "node.log"
    with trunk, node:
        up = node.place(UP)
        node.until(up, lambda history: len(history.outcomes) == 3, "its answer to be dealt with")
        ballast = folder / "disk" / "ballast"
        fill(ballast)
        node._until(lambda: create(node, AFTER, "one").status == 503, "a create to be refused")
        refused = create(node, AFTER, "one")
        assert "the disk is full: free some space under the data folder" in refused.message, refused
        node.update(up, {"end": "now"})
        node._until(lambda: "HANGUP" in told(folder, up), "HANGUP")
        ballast.unlink()
        history = node.finished(up)
        check(node, history, WHOLE)
        node._until(lambda: create(node, AFTER, "two").status == 201, "calls to be taken again")
        after = node.on_record()[0].call.call
        node.until(after, lambda history: len(history.outcomes) == 3, "its answer to be dealt with")
        node.update(after, {"end": "now"})
        check(node, node.finished(after), WHOLE)
        assert trunk.wait().good
        assert node.stop() == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))

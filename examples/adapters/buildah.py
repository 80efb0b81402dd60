#!/usr/bin/env python3
"""An adapter for layerspec that drives buildah: its images, layers and working containers, in a store of each scenario's
own, merged by the kernel's overlayfs. Volumes and mounts, which buildah leaves to those who run containers, are as
in `directories.py`.

    layerspec run --engine 'process:python3 examples/adapters/buildah.py' scenarios

Needs buildah (tried with 1.28), what `directories.py` needs, and root."""

import os
import shutil
import stat
import sys

sys.dont_write_bytecode = True

import disks
from adapter import Unsupported, run, serve
from directories import Directories
from disks import lay


class Image:
    """An image of buildah's, and who declared each of its layers, bottom first."""

    configure = disks.Image.configure

    def __init__(self, reference, base, name, count, root_mode):
        self.reference, self.root_mode = reference, root_mode
        self.layers = (base.layers if base else []) + [(name, len(base.layers if base else []) + 1)] * count
        self.config = dict(base.config) if base else {"volumes": [], "user": None, "working_dir": None}


class Container(disks.Container):
    """A working container of buildah's. What lies in which layer is read where the kernel has the layers mounted."""

    def make(self):
        buildah = self.place_in.buildah
        os.makedirs(self.place)
        self.working = buildah("from", "--pull-never", self.image.reference).strip()
        self.top = buildah("mount", self.working).strip()
        # In buildah's layers the root directory has no mode: it is 0555 in every new working container.
        os.chmod(self.top, self.image.root_mode)
        self.upper, self.lowers = self.place_in.mounted(self.top)
        self.stamps = dict(self.stamped())

    def remove(self):
        self.place_in.buildah("rm", self.working)
        shutil.rmtree(self.place)

    def changed(self):
        now = {path for path, _ in self.stamped()}
        return {path for path in now if os.path.lexists(self.upper + path)}, self.stamps.keys() - now

    def storage_of(self):
        def lies(path):
            if os.path.lexists(self.upper + path):
                return {"writable": {"container": self.spec["name"]}}
            for lower, (name, _), number in zip(self.lowers, reversed(self.image.layers), range(len(self.image.layers), 0, -1)):
                if os.path.lexists(lower + path):
                    return {"layer": {"image": name, "number": number}}
            return {"writable": {"container": self.spec["name"]}}
        return lies

    def refuses_rename(self, path):
        return False


class Buildah(Directories):
    NAME, DRIVER = "buildah", "overlay"
    # A commit goes through an archive: holes are filled, and access lists are lost.
    CAPABILITIES = [name for name in Directories.CAPABILITIES if name != "sparse"] + ["hard-links", "steady-inodes", "devices"]
    CAPABILITIES_OF_ROOT = ["owners"]

    @staticmethod
    def version():
        return run("buildah", "--version").split()[2]

    @staticmethod
    def lacks(is_root):
        if not shutil.which("buildah"):
            return "no such program: buildah", "install buildah"
        if not is_root:
            return "only root may mount what buildah has made", "run as root"

    def __init__(self, directory):
        super().__init__(directory)
        self.store = directory + "/store"

    def buildah(self, *words):
        return run("buildah", "--root", self.store, "--runroot", self.directory + "/run", "--storage-driver", "overlay",
                   *words)

    def mounted(self, top):
        """The upper and the lower directories, topmost first, of an overlay."""
        with open("/proc/self/mountinfo") as mounts:
            for line in mounts:
                words = line.split()
                if words[4] == top:
                    options = dict(option.partition("=")[::2] for option in words[-1].split(","))
                    lowers = options["lowerdir"].split(":")
                    return options["upperdir"], [os.path.join(self.store, "overlay", lower) for lower in lowers]
        raise RuntimeError(f"{top} is no mount")

    def Container(self, spec, image, place):
        container = Container(spec, image, place)
        container.place_in = self
        return container

    def image_of(self, base, name, container, top):
        """What a working container shows, as an image."""
        self.count += 1
        reference = f"localhost/layerspec:{self.count}"
        self.buildah("commit", "--quiet", container, reference)
        return Image(reference, base, name, 1, stat.S_IMODE(os.stat(top).st_mode))

    def do_load_image(self, spec):
        if spec.get("archive") or spec.get("platform") not in (None, "linux"):
            raise Unsupported("images out of archives, and those of other platforms")
        base = image = self.images[spec["from"]] if spec["from"] else None
        for tree in spec["layers"] or ([] if base else [[]]):
            container = self.buildah("from", "--pull-never", image.reference if image else "scratch").strip()
            top = self.buildah("mount", container).strip()
            os.chmod(top, image.root_mode if image else 0o755)
            lay(top, tree)
            image = self.image_of(image, spec["name"], container, top)
            self.buildah("rm", container)
        image = image if image is not base else Image(base.reference, base, spec["name"], 0, base.root_mode)
        image.configure(spec["config"])
        self.images[spec["name"]] = image

    def do_commit(self, what):
        container = self.container(what["container"])
        image = self.image_of(container.image, what["image"], container.working, container.top)
        image.configure(what["change"])
        self.images[what["image"]] = image

    def end(self, keep):
        for container in self.containers.values():
            if container.state in ("running", "paused"):
                container.disassemble()
        self.containers = {}
        if not keep:
            self.buildah("rm", "--all")
            if os.path.ismount(self.store + "/overlay"):
                run("umount", "--recursive", "--lazy", self.store + "/overlay")
        super().end(keep)


if __name__ == "__main__":
    serve(Buildah)

"""What a new container has mounted: checked, found and made."""

import os

from adapter import Refused, Unsupported, run, variant


def copy(source, target):
    """The content of a directory with every attribute, into another one."""
    run("cp", "--archive", "--reflink=auto", source + "/.", target)


class Mounts:
    """The part of a scenario that deals with mounts."""

    def mounts(self, container):
        """Everything that a new container has mounted, checked: long and short forms, tmpfs, those borrowed, VOLUME."""
        spec, found = container.spec, []
        for form, what in sorted(map(variant, spec["mounts"]), key=lambda mount: mount[0] != "short"):
            found.append(self.short(what) if form == "short" else self.long(what))
        for text in spec["tmpfs"]:
            target, _, options = text.partition(":")
            found.append({"target": target, "read_only": "ro" in options.split(","), "tmpfs": options})
        for mount in found:
            mount["target"] = os.path.normpath(mount["target"])
            if not mount["target"].startswith("/") or mount["target"] in ("/", "//"):
                raise Refused("invalid-mount", f"{mount['target']} is no target")
        # A target alone is no more than the image's VOLUME is: another mount takes its place.
        named = {mount["target"] for mount in found if not mount.get("alone")}
        found = [mount for mount in found if not mount.get("alone") or mount["target"] not in named]
        targets = [mount["target"] for mount in found]
        if len(set(targets)) < len(targets):
            # The first of them has made its volume already.
            first = next(mount for mount in found if targets.count(mount["target"]) > 1)
            if first.get("name"):
                self.volume_for(first["name"], spec["name"], first["target"])
            raise Refused("duplicate-mount", "two mounts have one target")
        borrowed = {}
        for text in spec["volumes_from"]:
            name, _, mode = text.partition(":")
            if not name or mode not in ("", "ro", "rw", "z", "Z"):
                raise Refused("invalid-volumes-from", f"{mode} is no mode")
            for mount in self.container(name).mounts:
                if mount.get("long") and mount["source"] is None:
                    raise Refused("no-such-volume", f"{mount['target']} of {name} is no volume")
                if mount["target"] not in targets and mount["source"] is not None:
                    borrowed[mount["target"]] = {**mount, "read_only": mode == "ro" or mount["read_only"], "borrowed": True}
        # Of two that are borrowed for one place the last one wins.
        found += borrowed.values()
        targets += borrowed
        for target in container.image.config["volumes"]:
            target = os.path.normpath(target)
            if target not in targets:
                found.append({"target": target, "read_only": False, "name": None, "nocopy": False})
                targets.append(target)
        return found

    def short(self, text):
        parts = text.split(":")
        if len(parts) > 3 or not all(parts):
            raise Refused("invalid-mount", f"{text} is no mount")
        if len(parts) == 1:
            return {"target": text, "read_only": False, "name": None, "nocopy": False, "alone": True}
        options = parts[2].split(",") if len(parts) == 3 else []
        if set(options) - {"ro", "rw", "nocopy", "z", "Z", "rprivate"} or {"ro", "rw"} <= set(options):
            raise Refused("invalid-mount", f"{parts[2]} is no mode")
        mount = {"target": parts[1], "read_only": "ro" in options, "nocopy": "nocopy" in options}
        if parts[0][0] in "./":
            if mount["nocopy"]:
                raise Refused("invalid-mount", "only volumes are filled")
            return {**mount, "bind": parts[0], "create": True}
        return {**mount, "name": parts[0]}

    def long(self, what):
        kind, source = variant(what["source"])
        mount = {"target": what["target"], "read_only": what["read_only"]}
        if kind == "volume" and not source["subpath"] and not source["labels"]:
            return {**mount, "name": source["name"], "nocopy": source["nocopy"]}
        if kind == "bind" and not source["propagation"] and not source["recursive"]:
            return {**mount, "bind": source["source"], "create": source["create_host_path"]}
        if kind == "tmpfs":
            options = [f"size={source['size']}"] if source["size"] else []
            # A mode of 0 was not asked for, as Docker has it.
            options += [f"mode={source['mode']:o}"] if source["mode"] else []
            return {**mount, "tmpfs": ",".join(options), "long": True}
        raise Unsupported(f"such a {kind} mount")

    def settle(self, container, mount):
        """Finds or makes what is mounted."""
        target, name = mount["target"], container.spec["name"]
        if "borrowed" in mount:
            pass
        elif "tmpfs" in mount:
            storage = {"tmpfs": {"container": name, "target": target}}
            mount.update(source=None, options=mount["tmpfs"], storage=storage, inner="/")
        elif "bind" in mount:
            inner = os.path.normpath("/" + mount["bind"])
            source = os.path.realpath(self.host + inner)
            if not (source + "/").startswith(self.host + "/"):
                raise Unsupported("a bind source that leads out of the host directory")
            if not os.path.exists(source):
                if not mount["create"]:
                    raise Refused("mount-source-missing", f"{inner} is missing")
                # Nothing is made where a link points to.
                mount["create"] = not os.path.islink(self.host + inner)
            mount.update(source=source, storage="host", inner=source[len(self.host):] or "/")
        else:
            over_file = os.path.isfile(container.top + target)
            if mount["name"] is not None or not over_file:
                volume = self.volume_for(mount["name"], name, target)
            if over_file:
                raise Refused("mount-type-mismatch", f"{target} is a file")
            if not mount["nocopy"]:
                self.fill(volume, container, target)
            mount.update(source=volume.top, storage={"volume": volume.which}, inner="/", volume=volume)
        container.mounts.append(mount)

    def volume_for(self, name, container, target):
        if name is None:
            return self.new_volume({"anonymous": {"container": container, "target": target}}, {})
        found = [volume for volume in self.volumes if volume.which == {"named": name}]
        return found[0] if found else self.new_volume({"named": name}, {})

    def fill(self, volume, container, target):
        """An empty volume gets what the image has at its target."""
        source = os.path.realpath(container.top + target)
        inside = source.startswith(container.top + "/") and os.path.isdir(source)
        if inside and not os.listdir(volume.top):
            copy(source, volume.top)

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
        for mount in spec["mounts"]:
            form, what = variant(mount)
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
            raise Refused("duplicate-mount", "two mounts have one target")
        for text in spec["volumes_from"]:
            name, _, mode = text.partition(":")
            if mode not in ("", "ro", "rw"):
                raise Refused("invalid-volumes-from", f"{mode} is no mode")
            for mount in self.container(name).mounts:
                if mount["target"] not in targets and mount["source"] is not None:
                    found.append({**mount, "read_only": mode == "ro" or mount["read_only"], "borrowed": True})
                    targets.append(mount["target"])
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
            sized = [f"size={source['size']}"] if source["size"] else []
            return {**mount, "tmpfs": ",".join(sized + [f"mode={source['mode'] if source['mode'] is not None else 0o1777:o}"])}
        raise Unsupported(f"such a {kind} mount")

    def settle(self, container, mount):
        """Finds or makes what is mounted."""
        target, name = mount["target"], container.spec["name"]
        if "borrowed" in mount:
            pass
        elif "tmpfs" in mount:
            known = ("size=", "mode=", "uid=", "gid=", "ro", "rw", "noexec", "exec", "nosuid", "nodev")
            if any(option and not option.startswith(known) for option in mount["tmpfs"].split(",")):
                raise Refused("invalid-option", f"{mount['tmpfs']} is no option of a tmpfs")
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
            mount.update(source=source, storage="host", inner=source[len(self.host):] or "/")
        else:
            volume = self.volume_for(mount["name"], name, target)
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

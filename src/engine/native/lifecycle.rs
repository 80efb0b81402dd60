//! From start to exit: moby `daemon/{start,stop,kill,pause,restart,delete}.go`.

use std::sync::Arc;

use super::actors::{Acts, in_container};
use super::assemble::Purpose;
use super::daemon::{Daemon, Running};
use super::refusals::{Fault, Result, fault, not_running, refuse};
use super::seats::Seat;
use crate::engine::{ContainerSpec, Kind, Place};
use crate::store::{Container, Number, State};

/// Exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;

impl Daemon {
    /// `docker run -d`. A container that cannot be started stays, created, unless it is to be removed on exit.
    /// Its first record is that of what became of it.
    pub(super) fn run(&mut self, asked: &ContainerSpec) -> Result<()> {
        let (number, mut container) = self.make_container(asked)?;
        let place = Place::Container(container.name.clone());
        match self.bring_up(number, &container) {
            Ok(session) => {
                container.state = State::Running;
                self.publish_container(number, container)?;
                self.seats.put(place, Seat::Open(session));
                Ok(())
            }
            Err(fault) if asked.remove_on_exit => {
                self.unmake(number, &container.name);
                Err(fault)
            }
            Err(fault) => {
                self.publish_container(number, container)?;
                self.release_memory();
                Err(fault)
            }
        }
    }

    pub(super) fn start_container(&mut self, name: &str) -> Result<()> {
        let (number, container) = self.container(name)?;
        match container.state {
            State::Running => Ok(()),
            State::Paused => refuse(
                Kind::ContainerPaused,
                "cannot start a paused container, try unpause instead",
            ),
            State::Created | State::Exited => self.start_numbered(number),
        }
    }

    fn start_numbered(&mut self, number: Number) -> Result<()> {
        let Some(container) = self.store.container_numbered(number).cloned() else {
            return Err(Fault::Broken("the container is gone".to_owned()));
        };
        match self.bring_up(number, &container) {
            Ok(session) => {
                let recorded = self.store.change_container(number, |container| {
                    container.state = State::Running;
                    container.exit_code = None;
                });
                if let Err(errno) = recorded {
                    self.tear_down(number);
                    return Err(errno.into());
                }
                self.seats
                    .put(Place::Container(container.name), Seat::Open(session));
                Ok(())
            }
            Err(fault) => {
                // Unless the request itself was found wrong before anything was tried.
                if let Fault::Refused(refusal) = &fault
                    && !refusal.message.starts_with("invalid mount config")
                {
                    self.note_failure(number, &container, &refusal.message)?;
                }
                self.release_memory();
                Err(fault)
            }
        }
    }

    /// A start that failed is an exit: `--rm` removes the container, and who ran before has now the failure's code.
    fn note_failure(&mut self, number: Number, container: &Container, message: &str) -> Result<()> {
        if container.remove_on_exit {
            return self.remove_container(number, true);
        }
        if container.state == State::Exited {
            let code = failure_code(message);
            self.store
                .change_container(number, |c| c.exit_code = Some(code))?;
        }
        Ok(())
    }

    fn bring_up(&mut self, number: Number, container: &Container) -> Result<Arc<dyn Acts>> {
        refuse_hidden_root(container)?;
        let (view, tmpfs) = self.assemble(number, container, Purpose::Start)?;
        let user = container.config.user.as_deref();
        let directory = container.config.working_dir.as_deref().unwrap_or("/");
        match in_container(&self.ground, &view, user, directory) {
            Ok(session) => {
                let actor = Arc::clone(&session);
                self.running.insert(number, Running { view, actor, tmpfs });
                Ok(session)
            }
            Err(fault) => {
                for passing in tmpfs {
                    self.store.remove_passing(passing);
                }
                Err(fault)
            }
        }
    }

    /// `docker stop`: the idle process obeys SIGTERM. Fine when it does not run.
    pub(super) fn stop(&mut self, name: &str) -> Result<()> {
        let (number, container) = self.container(name)?;
        if container.state.is_running() {
            self.exit(number, 0, true)
        } else {
            Ok(())
        }
    }

    pub(super) fn kill(&mut self, name: &str) -> Result<()> {
        let gone = |_| {
            let message = format!("Cannot kill container: {name}: No such container: {name}");
            fault(Kind::NoSuchContainer, message)
        };
        let (number, container) = self.container(name).map_err(gone)?;
        if container.state.is_running() {
            return self.exit(number, KILLED, true);
        }
        let id = &container.id;
        let message = format!("Cannot kill container: {name}: Container {id} is not running");
        refuse(Kind::ContainerNotRunning, message)
    }

    /// `docker restart`: `--rm` does not apply to this exit.
    pub(super) fn restart(&mut self, name: &str) -> Result<()> {
        let (number, container) = self.container(name)?;
        if container.state.is_running() {
            self.exit(number, 0, false)?;
        }
        self.start_numbered(number)
    }

    pub(super) fn pause(&mut self, name: &str) -> Result<()> {
        let (number, container) = self.container(name)?;
        match container.state {
            State::Running => {
                self.store
                    .change_container(number, |c| c.state = State::Paused)?;
                self.seats.freeze(name, true);
                Ok(())
            }
            State::Paused => {
                let message = format!("Container {} is already paused", container.id);
                refuse(Kind::ContainerPaused, message)
            }
            State::Created | State::Exited => Err(not_running(&container.id)),
        }
    }

    pub(super) fn unpause(&mut self, name: &str) -> Result<()> {
        let (number, container) = self.container(name)?;
        match container.state {
            State::Paused => {
                self.store
                    .change_container(number, |c| c.state = State::Running)?;
                self.seats.freeze(name, false);
                Ok(())
            }
            State::Running | State::Created | State::Exited => {
                let message = format!("Container {} is not paused", container.id);
                refuse(Kind::ContainerNotPaused, message)
            }
        }
    }

    /// A container's processes end.
    fn exit(&mut self, number: Number, code: i32, remove: bool) -> Result<()> {
        let Some(container) = self.store.container_numbered(number) else {
            return Ok(());
        };
        let (name, id) = (container.name.clone(), container.id.clone());
        if remove && container.remove_on_exit {
            return self.remove_container(number, true);
        }
        self.store.change_container(number, |container| {
            container.state = State::Exited;
            container.exit_code = Some(code);
        })?;
        self.seats.put(Place::Container(name), Seat::Closed(id));
        self.tear_down(number);
        Ok(())
    }

    /// Unmounts: a tmpfs is gone with it.
    pub(super) fn tear_down(&mut self, number: Number) {
        if let Some(running) = self.running.remove(&number) {
            for passing in running.tmpfs {
                self.store.remove_passing(passing);
            }
        }
        self.release_memory();
    }

    /// Volumes in memory are emptied when the last container that mounts them has stopped (Docker row 191).
    fn release_memory(&mut self) {
        for volume in self.memory_volumes() {
            let name = self.store.volumes().find(|(number, _)| *number == volume);
            let name = name.map(|(_, volume)| volume.name.as_str());
            let is_mounted = self.running.keys().any(|number| {
                let container = self.store.container_numbered(*number);
                container.is_some_and(|c| c.volumes().any(|v| Some(v.name.as_str()) == name))
            });
            if !is_mounted {
                self.forget_volume(volume);
            }
        }
    }

    /// `docker rm`: Docker rows 26 to 28.
    pub(super) fn remove(&mut self, name: &str, force: bool, volumes: bool) -> Result<()> {
        let found = self.container(name);
        if found.is_err() && force {
            return Ok(());
        }
        let (number, container) = found?;
        let id = &container.id;
        match container.state {
            State::Running if !force => refuse(
                Kind::ContainerRunning,
                format!(
                    "You cannot remove a running container {id}. Stop the container before attempting removal \
                     or force remove"
                ),
            ),
            State::Paused if !force => refuse(
                Kind::ContainerPaused,
                format!(
                    "You cannot remove a paused container {id}. Unpause and then stop the container before \
                     attempting removal or force remove"
                ),
            ),
            _ => self.remove_container(number, volumes),
        }
    }

    /// Removes a container, whatever its state, and with `volumes` those that nobody named and nobody
    /// else uses: Docker rows 56, 78.
    pub(super) fn remove_container(&mut self, number: Number, volumes: bool) -> Result<()> {
        let Some(container) = self.store.container_numbered(number).cloned() else {
            return Ok(());
        };
        if !volumes {
            self.untie_volumes(number, &container)?;
        }
        self.store.remove_container(number)?;
        self.seats.remove(&Place::Container(container.name.clone()));
        self.tear_down(number);
        self.forget_container(number);
        if !volumes {
            return Ok(());
        }
        self.drop_tied_volumes(number);
        for source in container.volumes().filter(|source| source.anonymous) {
            if self.users_of(&source.name).is_empty()
                && let Some((volume, _)) = self.store.volume(&source.name)
            {
                // The container is gone all the same; the volume then stays for `volume rm`.
                let _dropped = self.drop_volume(volume);
            }
        }
        Ok(())
    }

    /// Makes those volumes stay that would go with this container.
    fn untie_volumes(&mut self, number: Number, container: &Container) -> Result<()> {
        for source in container.volumes().filter(|source| source.anonymous) {
            let Some((volume, _)) = self.store.volume(&source.name) else {
                continue;
            };
            let is_last = self.store.volume_with(volume).is_some_and(|with| {
                with == number || self.store.container_numbered(with).is_none()
            });
            if is_last {
                self.store.untie_volume(volume)?;
            }
        }
        Ok(())
    }

    /// `docker container prune`: what does not run goes; volumes stay (Docker row 35).
    pub(super) fn prune_containers(&mut self) -> Result<()> {
        let idle = |(_, container): &(Number, &Container)| !container.state.is_running();
        let idle: Vec<Number> = self
            .store
            .containers()
            .filter(idle)
            .map(|(number, _)| number)
            .collect();
        idle.into_iter()
            .try_for_each(|number| self.remove_container(number, false))
    }
}

/// Docker takes `-v /` and `VOLUME /`, and then runc finds nothing in the volume that hides the root: seen on Docker 20.10.
fn refuse_hidden_root(container: &Container) -> Result<()> {
    if container.mounts.iter().all(|mount| mount.target != "/") {
        return Ok(());
    }
    refuse(
        Kind::Other,
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open /proc/sys/net/ipv4/ping_group_range: no such file or directory: unknown",
    )
}

/// The exit code of a container that could not be started, told from the text as moby does (`daemon/start.go`,
/// `translateContainerdStartErr`).
fn failure_code(message: &str) -> i32 {
    match message {
        m if m.contains("no such file or directory") || m.contains("not a directory") => 127,
        m if m.contains("permission denied") => 126,
        _ => 128,
    }
}

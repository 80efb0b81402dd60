//! Docker, Podman, nerdctl: real containers through a command line.
//!
//! Any program that speaks Docker's command line will do. Nothing is pulled: images are built as archives
//! and loaded. File operations are performed by the [agent](crate::agent), which lies in a volume that every
//! container mounts; one `exec -i` of it serves a container for as long as it runs. Nothing is assumed to
//! be shared with the daemon but its command line, so that a remote one works.
//!
//! A command costs tens of milliseconds and a container hundreds, so a case is to cost little more than the commands
//! that its steps name. An image that no step changes is loaded once for all cases; what has to be asked besides is
//! asked beside what goes on, or side by side; and at a case's end only what the last look found is removed.
//!
//! Everything that is made is labelled and named for this run, and removed when the engine is dropped. What
//! is not ours is never named in a command; pruning is filtered by our label.
//!
//! | file | what it holds |
//! |---|---|
//! | `provider` | probing and opening |
//! | `flavor` | which of the programs it is, and what it can show |
//! | `program` | one command |
//! | `ground` | what the cases of a run share: the agent's volume, a container that sees the daemon's disk |
//! | `link` | a connection to an agent |
//! | `names` | the scenario's names in the daemon, and back |
//! | `words` | error texts and the kinds that they mean |
//! | `engine` | one case: operations and bookkeeping |
//! | `images`, `layers`, `archive`, `packed` | images, what lies in which of their layers, their archives |
//! | `saved` | an image out of an archive that somebody gave |
//! | `arguments` | a container's specification as arguments |
//! | `containers`, `volumes`, `files`, `copies` | operations, by what they concern |
//! | `places` | where `cp` and `export` put things |
//! | `transfer` | trees into and out of containers |
//! | `mirror` | the host directory on this machine, when the daemon is on another |
//! | `inspected` | what `inspect` says |
//! | `shared` | images that are loaded once for all cases |
//! | `pending` | looks at new containers, beside what comes next |
//! | `observe`, `aside` | looking at everything |
//! | `left` | anonymous volumes that no container leads to any more |
//! | `disk` | what is seen in a container that runs: where its writable layer and its mounts lie |
//! | `own` | what engines put into every container, and leaving it out |
//! | `owner` | whose a run is, and its commands that are under way |
//! | `sweep` | removing what a run left behind |

mod archive;
mod arguments;
mod aside;
mod containers;
mod copies;
mod disk;
mod engine;
mod files;
mod flavor;
mod ground;
mod images;
mod inspected;
mod layers;
mod left;
mod mirror;
mod names;
mod observe;
mod own;
mod owner;
mod packed;
mod peers;
mod pending;
mod places;
mod program;
mod provider;
mod saved;
mod shared;
mod sweep;
#[cfg(test)]
mod testing;
mod transfer;
mod volumes;
mod words;

pub use provider::CliProvider;
pub use sweep::{Swept, sweep};

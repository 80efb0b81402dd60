//! System calls against tables of errnos; as root every row is put to the kernel too.

mod calls;
mod files;
mod kernel;
mod mounts;
mod table;

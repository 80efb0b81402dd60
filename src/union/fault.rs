//! Faults that unit tests switch on, to see whether they would be found. Outside of them there is nothing to switch.

/// Something that the union could get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A file that was copied up and is deleted leaves no whiteout.
    NoWhiteout,
    /// A directory that is made over a whiteout is not opaque.
    NotOpaque,
    /// Extended attributes are not copied up.
    NoXattrs,
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Does something with a fault in every union that this thread uses.
#[cfg(test)]
pub(crate) fn with_fault<T>(fault: Option<Fault>, act: impl FnOnce() -> T) -> T {
    let before = PLANTED.replace(fault);
    let done = act();
    PLANTED.set(before);
    done
}

/// Whether this fault is to be shown.
#[cfg(test)]
pub(super) fn is_planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Never.
#[cfg(not(test))]
pub(super) const fn is_planted(_: Fault) -> bool {
    false
}

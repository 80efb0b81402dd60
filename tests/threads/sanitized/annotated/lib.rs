//! The standard library with locks that tell ThreadSanitizer what they do. The one that comes with the compiler was
//! not built for it: it sees neither who gave a lock to whom, nor in which order locks are taken.

pub use ::std::*;

/// [`::std::sync`] with annotated locks.
pub mod sync {
    use std::ops::{Deref, DerefMut};
    use std::sync as real;

    pub use ::std::sync::*;

    // compiler-rt, `sanitizer/tsan_interface.h`.
    unsafe extern "C" {
        fn __tsan_mutex_destroy(at: *const u8, flags: u32);
        fn __tsan_mutex_pre_lock(at: *const u8, flags: u32);
        fn __tsan_mutex_post_lock(at: *const u8, flags: u32, recursion: i32);
        fn __tsan_mutex_pre_unlock(at: *const u8, flags: u32) -> i32;
        fn __tsan_mutex_post_unlock(at: *const u8, flags: u32);
    }

    /// Flags of a lock that is made when it is first seen.
    const WRITE: u32 = 0;
    const READ: u32 = 1 << 3;

    /// By which the sanitizer knows a lock.
    #[derive(Debug, Default)]
    struct Known(u8);

    impl Known {
        fn lock<T>(&self, flags: u32, lock: impl FnOnce() -> LockResult<T>) -> T {
            // SAFETY: only the address counts.
            unsafe { __tsan_mutex_pre_lock(&raw const self.0, flags) };
            // Poison does not matter to the union, and never comes in a test that passes.
            let guard = lock().unwrap_or_else(real::PoisonError::into_inner);
            // SAFETY: likewise.
            unsafe { __tsan_mutex_post_lock(&raw const self.0, flags, 0) };
            guard
        }

        fn unlock(&self, flags: u32, unlock: impl FnOnce()) {
            // SAFETY: likewise.
            unsafe { __tsan_mutex_pre_unlock(&raw const self.0, flags) };
            unlock();
            // SAFETY: likewise.
            unsafe { __tsan_mutex_post_unlock(&raw const self.0, flags) };
        }
    }

    impl Drop for Known {
        fn drop(&mut self) {
            // SAFETY: likewise.
            unsafe { __tsan_mutex_destroy(&raw const self.0, 0) };
        }
    }

    /// A guard that tells when it goes.
    #[derive(Debug)]
    pub struct Held<'a, G, const FLAGS: u32>(&'a Known, Option<G>);

    impl<G, const FLAGS: u32> Drop for Held<'_, G, FLAGS> {
        fn drop(&mut self) {
            let guard = self.1.take();
            self.0.unlock(FLAGS, || drop(guard));
        }
    }

    impl<G: Deref, const FLAGS: u32> Deref for Held<'_, G, FLAGS> {
        type Target = G::Target;

        fn deref(&self) -> &G::Target {
            self.1.as_ref().expect("held until it is dropped")
        }
    }

    impl<G: DerefMut, const FLAGS: u32> DerefMut for Held<'_, G, FLAGS> {
        fn deref_mut(&mut self) -> &mut G::Target {
            self.1.as_mut().expect("held until it is dropped")
        }
    }

    pub type MutexGuard<'a, T> = Held<'a, real::MutexGuard<'a, T>, WRITE>;
    pub type RwLockReadGuard<'a, T> = Held<'a, real::RwLockReadGuard<'a, T>, READ>;
    pub type RwLockWriteGuard<'a, T> = Held<'a, real::RwLockWriteGuard<'a, T>, WRITE>;

    #[derive(Debug, Default)]
    pub struct Mutex<T: ?Sized>(Known, real::Mutex<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(Known(0), real::Mutex::new(value))
        }
    }

    impl<T: ?Sized> Mutex<T> {
        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            let guard = self.0.lock(WRITE, || self.1.lock());
            Ok(Held(&self.0, Some(guard)))
        }

        pub fn get_mut(&mut self) -> LockResult<&mut T> {
            self.1.get_mut()
        }
    }

    #[derive(Debug, Default)]
    pub struct RwLock<T: ?Sized>(Known, real::RwLock<T>);

    impl<T: ?Sized> RwLock<T> {
        pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
            let guard = self.0.lock(READ, || self.1.read());
            Ok(Held(&self.0, Some(guard)))
        }

        pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
            let guard = self.0.lock(WRITE, || self.1.write());
            Ok(Held(&self.0, Some(guard)))
        }
    }
}

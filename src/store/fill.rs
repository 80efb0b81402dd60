//! Volumes that are being filled with what an image has. Filling takes many steps, so before the first one a record
//! says what was there; whoever finds that record later takes the steps back.

use rustix::io::Errno;

use super::table::{Record, Store};
use super::{Filling, Number};

impl Record for Filling {
    const LETTER: char = 'f';
}

impl Store {
    /// Announces that an empty directory of a volume is going to be filled.
    ///
    /// # Errors
    /// Of the disk; then it must not be.
    pub fn begin_filling(&mut self, filling: Filling) -> Result<Number, Errno> {
        let number = self.take_number();
        let revision = self.publish(number, &filling)?;
        self.fillings.insert(number, (revision, filling));
        Ok(number)
    }

    /// Records that it is full, or empty again.
    ///
    /// # Errors
    /// Of the disk; then it still counts as being filled.
    pub fn end_filling(&mut self, number: Number) -> Result<(), Errno> {
        if let Some((revision, _)) = self.fillings.get(&number) {
            self.retract(Filling::LETTER, number, *revision)?;
            self.fillings.remove(&number);
        }
        Ok(())
    }

    /// What was being filled when the store was last used.
    pub fn fillings(&self) -> impl Iterator<Item = (Number, &Filling)> {
        self.fillings
            .iter()
            .map(|(number, (_, filling))| (*number, filling))
    }
}

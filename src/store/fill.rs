//! Volumes that are being filled with what an image has. Filling takes many steps, so before the first one a record
//! says what was there; whoever finds that record later takes the steps back.

use rustix::io::Errno;

use super::change::Change;
use super::table::Store;
use super::{Filling, Number};

impl Store {
    /// Announces that an empty directory of a volume is going to be filled.
    ///
    /// # Errors
    /// Of the disk; then it must not be.
    pub fn begin_filling(&mut self, filling: Filling) -> Result<Number, Errno> {
        let number = self.take_number();
        self.commit(vec![Change::Filling(number, Some(filling))])?;
        Ok(number)
    }

    /// Records that it is full, or empty again.
    ///
    /// # Errors
    /// Of the disk; then it still counts as being filled.
    pub fn end_filling(&mut self, number: Number) -> Result<(), Errno> {
        if self.tables.fillings.contains_key(&number) {
            self.commit(vec![Change::Filling(number, None)])?;
        }
        Ok(())
    }

    /// What was being filled when the store was last used.
    pub fn fillings(&self) -> impl Iterator<Item = (Number, &Filling)> {
        let fillings = self.tables.fillings.iter();
        fillings.map(|(number, filling)| (*number, filling))
    }
}

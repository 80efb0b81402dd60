//! What two disks answer, made comparable.

use layerspec::engine::{Code, Refusal, SeenKind, StatAnswer, Time, Value};

/// Without what differs from disk to disk.
pub(crate) fn comparable(result: Result<Value, Refusal>) -> Result<Value, Code> {
    let now = Time {
        seconds: 0,
        nanos: 0,
    };
    match result {
        Ok(Value::Stat(stat)) => {
            let directory = stat.kind == SeenKind::Directory;
            let set = |time: Time| {
                if time.seconds > 1_500_000_000 {
                    now
                } else {
                    time
                }
            };
            Ok(Value::Stat(StatAnswer {
                ino: 0,
                dev: 0,
                blocks: 0,
                atime: now,
                mtime: set(stat.mtime),
                size: if directory { 0 } else { stat.size },
                links: if directory { 0 } else { stat.links },
                ..stat
            }))
        }
        Ok(value) => Ok(value),
        Err(refusal) => Err(refusal.code),
    }
}

//! Several threads at once.

use super::script::{Stage, play};

#[test]
fn threads_get_their_own_answers() {
    let stage = Stage::new();
    stage.play("volume create store => store");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let stage = &stage;
            scope.spawn(move || {
                for round in 0..5 {
                    stage.play(&format!(
                        "run -v store:/s c{number} vol => ok
                         in c{number} write /s/f{number} {round} => ok
                         in c{number} write /etc/app.conf {number} => ok
                         in c{number} read /s/f{number} => \"{round}\"
                         in c{number} read /etc/app.conf => \"{number}\"
                         volume rm store => volume-in-use
                         rm -f -v c{number} => ok"
                    ));
                }
            });
        }
    });
    stage.play(
        "volume ls => store
         in volume=store list / => f0 f1 f2 f3
         volume rm store => ok",
    );
}

#[test]
fn an_image_without_layers_and_one_with_many() {
    play("run one app => ok");
    let stage = Stage::new();
    let image = |name: &str, layers: usize| {
        let layers = vec![crate::engine::Tree::default(); layers];
        let name = name.to_owned();
        let spec = crate::engine::ImageSpec {
            name,
            layers,
            ..Default::default()
        };
        stage
            .engine
            .perform(&crate::engine::Operation::LoadImage(spec))
    };
    let done = crate::engine::Answer::Done(crate::engine::Value::Nothing);
    assert_eq!(image("none", 0), done);
    assert_eq!(image("most", 128), done);
    assert_ne!(image("more", 129), done);
    stage.play(
        "run zero none => ok
         in zero write /x y => ok
         run full most => ok
         in full write /x y => ok
         commit full over => max-depth",
    );
}

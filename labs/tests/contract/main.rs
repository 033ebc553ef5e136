//! What every sandbox engine promises, tried on the fake and on the real one.
//!
//! ```text
//! bench      an engine with an installation of its own, left empty after each test
//! create     idempotence, adoption after a crash, generations, nothing left after a failure
//! destroy    idempotent, and stronger than a create that runs
//! agent      exec, terminals, piped processes, flow control, attach after the platform was away
//! isolation  one sandbox sees nothing of another; limits are in force
//! machine    what a student takes for granted on a Debian host with an engine
//! hostile    a student who lies, hides and floods
//! outage     the engine stops, hangs, or was never there
//! provision  the sandbox module on top
//! doctor     what it proves, and what it says when there is nothing to prove
//! ```
//!
//! The Docker half runs when an engine answers and a sandbox image is on it (`BULKHEAD_TEST_IMAGE` names one, else the newest
//! `bulkhead/docker-host`), and says so when it does not. With `BULKHEAD_TEST_ENGINE=required` it must run.

mod agent;
mod bench;
mod create;
mod destroy;
mod doctor;
mod hostile;
mod isolation;
mod machine;
mod outage;
mod provision;

/// One test on each engine for every case.
macro_rules! contract {
    ($($module:ident::$case:ident),+ $(,)?) => {
        mod fake {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::bench::on_fake(crate::$module::$case).await;
            })+
        }
        mod docker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::bench::on_docker(crate::$module::$case).await;
            })+
        }
    };
}

contract! {
    create::twice_makes_one,
    create::another_generation_is_refused,
    create::what_a_crash_left_is_adopted,
    create::a_failed_step_leaves_nothing,
    create::a_missing_image_is_named,
    create::a_dead_one_is_replaced,
    create::the_reaper_finds_all_of_this_installation,
    create::at_the_same_time_makes_one,
    destroy::is_idempotent,
    destroy::wins_over_a_create_that_runs,
    destroy::of_a_created_container,
    agent::exec_tells_output_and_code,
    agent::exec_is_bounded,
    agent::execs_are_over_when_their_processes_are,
    agent::a_terminal_echoes_resizes_and_ends,
    agent::a_terminal_outlives_its_link,
    agent::a_second_viewer_takes_over,
    agent::a_piped_process_reads_to_the_end,
    agent::output_waits_for_its_reader,
    agent::what_is_not_there_is_a_fault,
    agent::many_at_once,
    isolation::sandboxes_do_not_share_processes,
    isolation::limits_are_in_force,
    provision::ends_ready_with_every_step_told,
    provision::a_failed_setup_leaves_nothing,
    provision::goes_on_after_a_crash,
}

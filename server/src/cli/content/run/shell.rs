//! One bash that is given a lesson's commands, one after the other.

use std::time::Duration;

use bulkhead_agent::protocol::Open;
use bulkhead_labs::link::{AgentLink, Ending, LinkError, Process};
use tokio::time::timeout;

use crate::random::{Random, hex};

/// More than any lesson shows.
const MOST: usize = 1 << 20;

pub(super) struct Shell {
    link: AgentLink,
    process: Process,
    /// A line that no command prints.
    mark: String,
}

pub(super) enum Heard {
    Printed(String),
    /// It did not come to an end; what it had printed.
    Hung(String),
    Endless,
    /// The shell itself ended, with its last words.
    Ended(String),
}

impl Shell {
    pub(super) async fn start(link: &AgentLink, machine: &str) -> Result<Self, LinkError> {
        let argv = ["bash", "--login"].map(str::to_owned).to_vec();
        let process = link.start(Open { machine: machine.to_owned(), uid: 0, argv, tty: None }).await?;
        process.input.send("exec 2>&1\ncd\n").await?;
        let random: [u8; 12] = Random::system().bytes();
        Ok(Self { link: link.clone(), process, mark: hex(&random) })
    }

    /// Everything that it prints, and nothing of what the next does. What it starts in the background goes on.
    pub(super) async fn run(&mut self, command: &str, limit: Duration) -> Heard {
        let typed = format!("eval {} </dev/null\nprintf '\\n%s\\n' {}\n", quoted(command), self.mark);
        let end = format!("\n{}\n", self.mark);
        let mut printed = Vec::new();
        let hear = async {
            if self.process.input.send(typed).await.is_err() {
                return None;
            }
            while let Some(bytes) = self.process.output.next().await {
                printed.extend_from_slice(&bytes);
                if printed.ends_with(end.as_bytes()) {
                    printed.truncate(printed.len() - end.len());
                    return Some(true);
                }
                if printed.len() > MOST {
                    return Some(false);
                }
            }
            None
        };
        let heard = timeout(limit, hear).await;
        let text = String::from_utf8_lossy(&printed).into_owned();
        match heard {
            Ok(Some(true)) => Heard::Printed(text),
            Ok(Some(false)) => {
                self.close().await;
                Heard::Endless
            }
            Ok(None) => Heard::Ended(match self.process.output.ending().await {
                Ending::Exited { code, stderr } => format!("{text}{stderr}(exit code {code})"),
                Ending::Detached => text,
                Ending::Lost(why) => why.to_string(),
            }),
            Err(_) => {
                self.close().await;
                Heard::Hung(text)
            }
        }
    }

    async fn close(&self) {
        // The sandbox is destroyed soon; a shell that cannot be closed goes with it.
        let _gone = self.link.close(self.process.id).await;
    }
}

/// As one word of bash.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_command_with_quotes_stays_one_word() {
        assert_eq!(quoted("echo 'a' \"$b\"\n"), "'echo '\\''a'\\'' \"$b\"\n'");
    }
}

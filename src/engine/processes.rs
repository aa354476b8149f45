//! The processes of a container. Docker API, /containers/{id}/top: the engine runs the `ps` of its own machine.
#![forbid(unsafe_code)]

use serde::Deserialize;

use super::{Engine, EngineError, Patience, path_segment, query};

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id, as the engine's machine counts.
    pub id: u32,
    /// The id of its parent.
    pub parent: u32,
    /// Its arguments, or what it wrote over them, with blanks between.
    pub title: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Top {
    processes: Option<Vec<Vec<String>>>,
}

impl Engine {
    /// The processes of the running container `name`. 409: it does not run. 500: the engine's machine has no `ps`.
    pub fn processes(&self, name: &str) -> Result<Vec<Process>, EngineError> {
        let columns = query("?ps_args", "-eo pid,ppid,args");
        let path = format!("/containers/{}/top{columns}", path_segment(name));
        let top: Top = self.get(&path, Patience::default())?.json()?;
        let rows = top.processes.unwrap_or_default();
        Ok(rows.iter().filter_map(|row| process(row)).collect())
    }
}

/// A row of the table; the engine leaves blanks in its last column alone.
fn process(row: &[String]) -> Option<Process> {
    let [id, parent, title @ ..] = row else {
        return None;
    };
    Some(Process {
        id: id.parse().ok()?,
        parent: parent.parse().ok()?,
        title: title.join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scripted::Scripted;

    #[test]
    fn rows_become_processes() {
        let table = r#"{"Titles":["PID","PPID","COMMAND"],"Processes":[["12","3","sh -c a  b"],["x","3","?"],["1"]]}"#;
        let scripted = Scripted::answering_json(table);
        let expected = Process {
            id: 12,
            parent: 3,
            title: "sh -c a  b".to_owned(),
        };
        assert_eq!(scripted.engine().processes("c").unwrap(), [expected]);
        let empty = Scripted::answering_json(r#"{"Processes":null}"#);
        assert!(empty.engine().processes("c").unwrap().is_empty());
    }
}

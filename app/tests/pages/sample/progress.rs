use bulkhead_app::api::progress::{
    AttemptRow, LabProgress, Matrix, MatrixCell, MatrixLab, MatrixRow, ModuleProgress, MyProgress,
};

pub(crate) fn mine() -> MyProgress {
    let attempt = |id, score, at: &str| AttemptRow {
        id,
        score,
        passed: score >= 80,
        at: at.into(),
        report_href: format!("/labs/read-only-but-alive/report/{id}"),
    };
    let module = |number, title: &str, done, total| ModuleProgress { number, title: title.into(), done, total };
    MyProgress {
        lessons_done: 5,
        lessons_total: 9,
        modules: vec![
            module(1, "Introduction to Docker Security", 4, 4),
            module(2, "Docker Container Security", 1, 5),
            module(3, "Docker Host Security", 0, 0),
        ],
        tests: vec![super::test::link(Some(2)), super::test::link(None)],
        labs: vec![LabProgress {
            lab: "read-only-but-alive".into(),
            title: "Read-only, but alive".into(),
            best_score: Some(100),
            passed: true,
            attempts: vec![
                attempt(3, 100, "2026-11-24T10:31:00Z"),
                attempt(2, 60, "2026-11-24T10:12:40Z"),
                attempt(1, 10, "2026-11-23T19:02:11Z"),
            ],
        }],
    }
}

pub(crate) fn nothing() -> MyProgress {
    MyProgress { lessons_done: 0, lessons_total: 9, labs: vec![], modules: vec![], tests: vec![] }
}

const NAMES: [&str; 12] = [
    "Ada Byron",
    "Alan Mathison",
    "Barbara Liskov",
    "Edsger Dijkstra",
    "Frances Allen",
    "Grace Murray",
    "Hedy Lamarr",
    "John Backus",
    "Ken Thompson",
    "Margaret Hamilton",
    "Radia Perlman",
    "Tony Hoare",
];

pub(crate) fn matrix(students: usize) -> Matrix {
    let labs = [
        "Read-only, but alive",
        "The socket is the host",
        "Fourteen too many",
        "Whose root is it",
        "Signed and sealed",
    ];
    let cell = |row: usize, column: usize| {
        let attempts = u32::try_from((row * 7 + column * 3) % 5).unwrap_or_default();
        let best = u8::try_from((row * 37 + column * 23) % 101).unwrap_or_default();
        MatrixCell {
            best_score: (attempts > 0).then_some(best),
            passed: attempts > 0 && best >= 80,
            attempts,
            live: row % 6 == column,
            report_href: (attempts > 0).then(|| format!("/labs/lab-{column}/report/{row}")),
        }
    };
    Matrix {
        labs: labs
            .iter()
            .enumerate()
            .map(|(id, title)| MatrixLab { id: format!("lab-{id}"), title: (*title).into() })
            .collect(),
        students: (0..students)
            .map(|row| {
                let name = if row < NAMES.len() {
                    NAMES[row].to_owned()
                } else {
                    format!("{} {}", NAMES[row % NAMES.len()], row / NAMES.len() + 1)
                };
                MatrixRow {
                    account: i64::try_from(row).unwrap_or_default(),
                    email: format!("{}@example.org", name.to_lowercase().replace(' ', ".")),
                    name,
                    last_seen: (row % 5 != 4).then(|| format!("2026-11-24T{:02}:{:02}:00Z", 8 + row % 3, row * 7 % 60)),
                    lessons_done: u32::try_from(row * 5 % 10).unwrap_or_default(),
                    cells: (0..labs.len()).map(|column| cell(row, column)).collect(),
                }
            })
            .collect(),
    }
}

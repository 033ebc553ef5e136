//! The outline is a contract: every heading stands word for word, in this order.

use std::path::Path;

use bulkhead_content::{Course, Entry};

const OUTLINE: &str = "\
Introduction to Docker Security
  Overview of Docker
    Understanding Docker and Containerization
    Key Components: Images, Containers, Registries, Daemon
  Docker Security Fundamentals
    Importance of Docker Security
    Common Security Risks and Challenges
Docker Container Security
  Secure Container Images
    Building Secure Images
    Scanning Images for Vulnerabilities
    Managing Image Sprawl
  Container Runtime Security
    Container Isolation Mechanisms
    Minimizing Container Privileges
    Implementing Read-Only Containers
Docker Host Security
  Securing the Docker Host
    Hardening the Host OS
    Docker Daemon Security Considerations
    Access Control and User Permissions
  Docker Networking Security
    Network Segmentation and Isolation
    Firewall Rules and Security Groups
Docker Deployment Security
  Securing Docker Registries
    Private vs. Public Registries
    Implementing Access Controls
    Registry Authentication and Authorization
  CI/CD Integration
    Integrating Security in CI/CD Pipelines
    Automated Scanning and Testing
Advanced Docker Security Techniques
  Docker Security Monitoring and Logging
    Real-Time Monitoring of Containers and Hosts
    Log Management and Analysis
  Incident Response and Forensics
    Responding to Security Incidents
    Forensic Analysis in a Dockerized Environment
Compliance and Best Practices
  Compliance Standards and Docker
    Understanding Relevant Compliance Standards (e.g., PCI-DSS, HIPAA)
    Mapping Compliance Requirements to Docker
  Docker Security Best Practices
    Regular Updates and Patch Management
    Immutable Containers and Minimal Base Images
    Continuous Learning and Staying Updated
Hands-On Labs and Exercises
  Practical Exercises
    Setting Up a Secure Docker Environment
    Hardening a Docker Image and Host
    Implementing Network Security
  Simulated Security Incident
    Incident Response Drill
    Analysis and Reporting
Conclusion and Future Trends
    Wrap-Up and Key Takeaways
    Emerging Trends and Technologies in Docker Security
";

#[test]
fn the_course_in_the_repository_loads_and_has_the_outline_word_for_word() {
    let course = Course::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("course")).expect("the course loads");
    let mut outline = Vec::new();
    for module in &course.modules {
        outline.push(module.title.clone());
        for section in &module.sections {
            if let Some(title) = &section.title {
                outline.push(format!("  {title}"));
            }
            for entry in &section.entries {
                let title = match entry {
                    Entry::Written(lesson) => &lesson.title,
                    Entry::ToCome { title, .. } => title,
                };
                outline.push(format!("    {title}"));
            }
        }
    }
    assert_eq!(outline.join("\n"), OUTLINE.trim_end());
}

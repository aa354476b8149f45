//! A rule of ufw's, as ufw keeps it: `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`. The words are action,
//! protocol, port, destination, source port, source; then, for rules made of an application's profile, its name for
//! destination and source; then the direction with the interface. Last comes `comment=` with the bytes in hexadecimal.
//! (`_write_rules` in ufw's `backend_iptables.py`, the same since 0.30.)
#![forbid(unsafe_code)]

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What comes to the machine.
    In,
    /// What leaves it.
    Out,
    /// What goes through it, as to containers.
    Forward,
}

/// A rule. Whatever is `None` is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `allow`, `deny`, `reject` or `limit`.
    pub action: String,
    /// What it looks at.
    pub direction: Direction,
    /// `tcp`, `udp`, or another one such as `esp`.
    pub protocol: Option<String>,
    /// Ports it is sent to: `80`, `6000:6007`, `80,443`.
    pub port: Option<String>,
    /// The application's profile that the ports are of.
    pub application: Option<String>,
    /// Where it is sent to, an address or a network.
    pub to: Option<String>,
    /// Where it comes from: an address or a network, `0.0.0.0/0` or `::/0` for anywhere.
    pub from: String,
    /// Ports it is sent from.
    pub from_port: Option<String>,
    /// The interface it comes by.
    pub interface_in: Option<String>,
    /// The interface it leaves by.
    pub interface_out: Option<String>,
    /// `log` or `log-all`, when it is logged.
    pub log: Option<String>,
    /// What somebody noted about it.
    pub comment: Option<String>,
}

const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// The lines of a file of ufw's that are rules, without what marks them.
pub(super) fn lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines()
        .filter_map(|line| line.strip_prefix("### tuple ### "))
}

impl Rule {
    /// Reads the words of a line, without the `### tuple ###` that marks it; `None` when they are no rule.
    pub fn parse(line: &str) -> Option<Self> {
        let (line, comment) = match line.split_once(" comment=") {
            Some((line, hex)) => (line, Some(text_of_hex(hex.trim())?)),
            None => (line, None),
        };
        let mut words: Vec<_> = line.split_ascii_whitespace().collect();
        if words.len() % 2 == 0 {
            // Rules of before there were others had no direction; ufw still reads them.
            words.push("in");
        }
        let (parts, applications, place) = match words.as_slice() {
            [parts @ .., place] if parts.len() == 6 => (parts, ["-", "-"], *place),
            [parts @ .., to, from, place] if parts.len() == 6 => (parts, [*to, *from], *place),
            _ => return None,
        };
        let [action, protocol, port, to, from_port, from] = parts else {
            return None;
        };
        let (routed, action) = match action.strip_prefix("route:") {
            Some(action) => (true, action),
            None => (false, *action),
        };
        let (action, log) = match action.split_once('_') {
            Some((action, log)) => (action, Some(log.to_owned())),
            None => (action, None),
        };
        let place = Place::parse(place, routed)?;
        let application = applications.into_iter().find(|name| *name != "-");
        Some(Self {
            action: action.to_owned(),
            direction: place.direction,
            protocol: unless_any(protocol),
            port: unless_any(port),
            // The only thing that ufw escapes.
            application: application.map(|name| name.replace("%20", " ")),
            to: (!ANYWHERE.contains(to)).then(|| (*to).to_owned()),
            from: (*from).to_owned(),
            from_port: unless_any(from_port),
            interface_in: place.interface_in,
            interface_out: place.interface_out,
            log,
            comment,
        })
    }
}

/// The last word: `in`, `out_eth0`, `in_eth0!out_eth1`.
struct Place {
    direction: Direction,
    interface_in: Option<String>,
    interface_out: Option<String>,
}

impl Place {
    fn parse(word: &str, routed: bool) -> Option<Self> {
        let mut place = Self {
            direction: Direction::Forward,
            interface_in: None,
            interface_out: None,
        };
        let mut direction = None;
        for part in word.split('!') {
            let (way, interface) = match part.split_once('_') {
                Some((way, interface)) => (way, Some(interface.to_owned())),
                None => (part, None),
            };
            let (found, slot) = match way {
                "in" => (Direction::In, &mut place.interface_in),
                "out" => (Direction::Out, &mut place.interface_out),
                _ => return None,
            };
            *slot = interface;
            direction = direction.or(Some(found));
        }
        if !routed {
            place.direction = direction?;
        }
        Some(place)
    }
}

fn unless_any(word: &str) -> Option<String> {
    (word != "any").then(|| word.to_owned())
}

fn text_of_hex(hex: &str) -> Option<String> {
    let pairs = hex.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Written by ufw 0.36.2.
    const IPV4: &str = include_str!("fixtures/user.rules");
    const IPV6: &str = include_str!("fixtures/user6.rules");
    /// What `ufw status` prints of the same rules.
    const STATUS: &str = include_str!("fixtures/status");

    fn rules(file: &str) -> Vec<Rule> {
        lines(file).map(|line| Rule::parse(line).unwrap()).collect()
    }

    fn rule(line: &str) -> Rule {
        Rule::parse(line).unwrap()
    }

    #[test]
    fn every_rule_of_a_real_file_is_read() {
        assert_eq!((rules(IPV4).len(), rules(IPV6).len()), (24, 18));
        // A line for each, but for the four of the heads.
        let shown = STATUS.lines().filter(|line| !line.is_empty()).count() - 3;
        assert_eq!(shown, 24 + 18);
    }

    #[test]
    fn the_kinds_of_rules() {
        let plain = rule("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in");
        assert_eq!(
            plain,
            Rule {
                action: "allow".to_owned(),
                direction: Direction::In,
                protocol: Some("tcp".to_owned()),
                port: Some("22".to_owned()),
                application: None,
                to: None,
                from: "0.0.0.0/0".to_owned(),
                from_port: None,
                interface_in: None,
                interface_out: None,
                log: None,
                comment: None,
            }
        );
        let out = rule("allow any 53 1.1.1.1 any 0.0.0.0/0 out_eth0");
        assert_eq!((out.direction, out.protocol), (Direction::Out, None));
        assert_eq!(out.to.as_deref(), Some("1.1.1.1"));
        assert_eq!(
            (out.interface_in, out.interface_out.as_deref()),
            (None, Some("eth0"))
        );
        let routed = rule("route:allow tcp 80 10.2.3.4 any 0.0.0.0/0 in_eth0!out_docker0");
        assert_eq!(
            (routed.action.as_str(), routed.direction),
            ("allow", Direction::Forward)
        );
        assert_eq!(routed.interface_in.as_deref(), Some("eth0"));
        assert_eq!(routed.interface_out.as_deref(), Some("docker0"));
        let application = rule("allow tcp 80,443 ::/0 any ::/0 Nginx%20Full - in");
        assert_eq!(application.application.as_deref(), Some("Nginx Full"));
        assert_eq!(application.port.as_deref(), Some("80,443"));
        let logged = rule("allow_log-all tcp 998 ::/0 any ::/0 in");
        assert_eq!(
            (logged.action.as_str(), logged.log.as_deref()),
            ("allow", Some("log-all"))
        );
        let old = rule("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0");
        assert_eq!(old, plain);
        let from = rule("allow tcp 5432 192.168.0.1 1024:65535 10.5.0.0/16 in");
        assert_eq!(from.from_port.as_deref(), Some("1024:65535"));
        assert_eq!(from.from, "10.5.0.0/16");
        let noted = rule("deny udp 7000:7001,8000 ::/0 any ::/0 in comment=6120206e");
        assert_eq!(noted.comment.as_deref(), Some("a  n"));
    }

    #[test]
    fn what_is_no_rule_is_told_apart() {
        for line in [
            "",
            "allow",
            "allow tcp 22 0.0.0.0/0 any",
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 sideways",
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 - - in more",
            "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=zz",
        ] {
            assert_eq!(Rule::parse(line), None, "{line:?}");
        }
        assert_eq!(lines("### RULES ###\n-A ufw-user-input\n").count(), 0);
    }

    proptest! {
        #[test]
        fn no_line_makes_it_stumble(line in "[ -~é]{0,80}", hex in "[0-9a-zé]{0,9}") {
            let _ = Rule::parse(&line);
            let _ = Rule::parse(&format!("allow tcp 1 ::/0 any ::/0 in comment={hex}"));
        }
    }
}

"""What a unit file says of its service, with drop-ins behind it as systemd reads them."""


class Service:
    """The directives of [Service], each with its values in order, and which were asked for."""

    def __init__(self, files):
        self.directives = {}
        self._asked = set()
        for file in files:
            with open(file, encoding="utf-8") as lines:
                self._read(lines)

    def _read(self, lines):
        section = None
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and line[0] not in "#;":
                name, value = map(str.strip, line.split("=", 1))
                # An empty value takes back what was said before.
                values = self.directives.setdefault(name, [])
                values.append(value) if value else values.clear()

    def all(self, name):
        self._asked.add(name)
        return self.directives.get(name, [])

    def one(self, name, preset=None):
        """The last value, which is the one that counts."""
        return (self.all(name) or [preset])[-1]

    def words(self, name):
        """Of directives that are lists, on one line or on several."""
        return " ".join(self.all(name)).split()

    def is_on(self, name):
        return self.one(name, "no") in ("1", "yes", "true", "on")

    def not_asked(self):
        """Directives that nobody has put up."""
        return {name for name, values in self.directives.items() if values} - self._asked

package deploy

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dockerfile is the part of a Dockerfile that matters here: its stages and their steps in order.
type dockerfile struct{ stages []stage }

type stage struct {
	name, from string
	steps      []string
}

func readDockerfile(name string) (*dockerfile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d := &dockerfile{}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case words[0] == "FROM":
			s := stage{from: words[1]}
			if len(words) == 4 {
				s.name = words[3]
			}
			d.stages = append(d.stages, s)
		case len(d.stages) > 0:
			last := &d.stages[len(d.stages)-1]
			last.steps = append(last.steps, line)
		}
	}
	return d, nil
}

// step returns the first step of a stage that begins so; "" names the last stage.
func (d *dockerfile) step(stage, prefix string) string {
	for _, s := range d.stages {
		if s.name != stage {
			continue
		}
		for _, step := range s.steps {
			if strings.HasPrefix(step, prefix) {
				return step
			}
		}
	}
	return ""
}

// Without the tag gRPC brings in what makes the command larger by half; see docs/RATIONALE.md.
func TestDockerfileBuildsAsTheMakefileDoes(t *testing.T) {
	d, err := readDockerfile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	command := "CGO_ENABLED=0 go build"
	_, made, _ := strings.Cut(string(makefile), command)
	made, _, _ = strings.Cut(made, "-ldflags")
	image := d.step("build", "RUN "+command)
	if made == "" || !strings.HasPrefix(image, "RUN "+command+made) {
		t.Errorf("the image is built by %s, not with %q", image, made)
	}
}

func TestDockerfileHoldsTheCommandAndNothingElse(t *testing.T) {
	d, err := readDockerfile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	last := d.stages[len(d.stages)-1]
	if last.from != "scratch" {
		t.Errorf("the image begins with %s", last.from)
	}
	for _, step := range last.steps {
		if !slices.Contains([]string{"COPY", "USER", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}, strings.Fields(step)[0]) {
			t.Errorf("%s: there is no shell to run it", step)
		}
	}
	for _, want := range []string{"USER 65532:65532", "STOPSIGNAL SIGTERM", `ENTRYPOINT ["/usr/bin/sallyport"]`} {
		if d.step("", want) != want {
			t.Errorf("the image has no %s", want)
		}
	}
	// The plugins are built by the script that the tests' own plugins come from.
	if got, want := d.step("build", "RUN REQUIRE_RUST=1"), "RUN REQUIRE_RUST=1 plugins/build.sh /out/usr/lib/sallyport/plugins"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is copied ahead of the rest must be all that fetching the modules needs.
func TestDockerfileFetchesModulesFirst(t *testing.T) {
	d, err := readDockerfile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, step := range d.stages[0].steps {
		words := strings.Fields(step)
		switch {
		case step == "RUN go mod download":
			cmd := exec.Command("go", "mod", "download")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			return
		case words[0] == "COPY":
			to := filepath.Join(dir, words[len(words)-1])
			if err := os.MkdirAll(to, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, from := range words[1 : len(words)-1] {
				if err := os.WriteFile(filepath.Join(to, filepath.Base(from)), []byte(read(t, filepath.Join(root, from))), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Error("the Dockerfile does not fetch the modules by themselves")
}

func TestCommandIsStatic(t *testing.T) {
	file, err := elf.Open(command(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it has %v: it needs a loader that the image has not", p.Type)
		}
	}
	out, err := exec.Command(command(t), "version").Output()
	if err != nil || string(out) != "sallyport tested\n" {
		t.Errorf("version: got %q, %v", out, err)
	}
}

package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestE2EConfigPrecedence(t *testing.T) {
	const config = "max_payload: 10\nplugin: echo\n"
	tests := []struct {
		name string
		env  []string
		args []string
		code int
	}{
		{"file beats default", nil, nil, exitIncomplete},
		{"variable beats file", []string{"BROOD_MAX_PAYLOAD=100"}, nil, exitOK},
		{"flag beats variable", []string{"BROOD_MAX_PAYLOAD=100"}, []string{"--max-payload", "10"}, exitIncomplete},
		{"flag beats file", nil, []string{"--max-payload", "100"}, exitOK},
		{"empty variable is unset", []string{"BROOD_MAX_PAYLOAD="}, nil, exitIncomplete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"run", "--config", "c.yaml"}, tt.args...)
			b := newBrood(t, append(args, "twelve bytes")...).env(tt.env...)
			b.inDir("c.yaml", config)
			b.run(tt.code)
		})
	}
}

func TestE2EConfigVariableNamesTheFile(t *testing.T) {
	b := newBrood(t, "run", "x").env("BROOD_CONFIG=c.yaml")
	b.inDir("c.yaml", "plugin: echo\n")
	b.run(exitOK)
}

func TestE2EUsage(t *testing.T) {
	tests := []struct {
		args []string
		says string
	}{
		{[]string{"run", "x"}, "--plugin is required"},
		{[]string{"run", "--plugin", "echo", "x", "--ordered"}, `"--ordered" comes after the first task "x": flags go first`},
		{[]string{"run", "--plugin", "echo", "--orderd", "x"}, `no flag --orderd, did you mean "ordered"?`},
		{[]string{"run", "--plugin", "echo", "--workers", "0", "x"}, `--workers: expected a whole number from 1 to 10000, found "0"`},
		{[]string{"run", "--plugin", "echo", "--hard-timeout", "5", "x"}, `--hard-timeout: expected a duration with a unit`},
		{[]string{"run", "--plugin", "echo", "--resume", "x"}, "--resume needs --output"},
		{[]string{"run", "--plugin", "echo", "--config", "none.yaml", "x"}, "config file: open none.yaml"},
		{[]string{"rum"}, `there is no command "rum"`},
		{[]string{"completion", "tcsh"}, "expected bash, zsh or fish"},
	}
	for _, tt := range tests {
		b := newBrood(t, tt.args...).run(exitUsage).says(tt.says)
		if b.stdout.Len() > 0 {
			t.Errorf("%q: stdout is for results, it has %q", tt.args, head(b.stdout.String()))
		}
	}
}

func TestE2EConfigErrorsNameTheLine(t *testing.T) {
	b := newBrood(t, "run", "--config", "c.yaml", "x")
	b.inDir("c.yaml", "plugin: echo\nworkers: 2\nhard_timeout: 5\n")
	b.run(exitUsage).says(`brood: c.yaml:3: hard_timeout: expected a duration with a unit such as 500ms, 30s or 1h30m, found "5"`)
}

func TestE2EHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"run", "--help"}, {"help", "run"}, {"version"}, {"plugins", "--help"}} {
		b := newBrood(t, args...).run(exitOK)
		if b.stdout.Len() == 0 || b.stderr.String() != "" {
			t.Errorf("%q: %d bytes of help, stderr %q", args, b.stdout.Len(), b.stderr.String())
		}
	}
}

func TestE2EConfigFile(t *testing.T) {
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "testdata", "config", "run.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBrood(t, "run", "--config", path, "--plugin", "exec").
		stdin("{\"payload\":[\"sh\",\"-c\",\"echo $GREETING $PLACE; ulimit -n\"]}").run(exitOK)
	if out := string(b.results()[0].Result); !strings.Contains(out, `hello world\n256\n`) {
		t.Errorf("the workers' environment and limits are not those of the file: %s", out)
	}
}

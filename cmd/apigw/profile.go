package main

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apigw-go/apigw/internal/strictjson"
)

// profile is a set of flags that a file has under a name.
type profile struct {
	key, stage, policy    string
	appCode               bool
	secretEnv, secretFile string
	hosts                 []string
}

// profileFlags name a profile and the file that has it.
type profileFlags struct{ name, file string }

func addProfileFlags(fs *flag.FlagSet) *profileFlags {
	p := new(profileFlags)
	fs.StringVar(&p.name, "profile", "", "")
	fs.StringVar(&p.file, "profiles", "", "")
	return p
}

// apply fills in what the flags leave open.
func (f *profileFlags) apply(in *invocation, c *credentials, request *requestSpec, policy *string) error {
	if f.name == "" {
		if f.file != "" {
			return in.errorf("--profiles names a file; give --profile NAME too")
		}
		return nil
	}
	// Half a profile and half the flags would sign with a key and another's secret.
	if c.key != "" || c.appCode || c.secretFile != "" {
		return in.errorf("--profile says who calls; take --key, --appcode and --secret-file out")
	}
	p, err := f.load(in)
	if err != nil {
		return err
	}
	c.key, c.appCode, c.secretEnv, c.secretFile, c.hosts = p.key, p.appCode, p.secretEnv, p.secretFile, p.hosts
	// A flag says more than a file.
	request.stage = cmp.Or(request.stage, p.stage)
	if policy != nil {
		*policy = cmp.Or(*policy, p.policy)
	}
	return nil
}

// profilesFile is where profiles are kept where no flag names a file.
func profilesFile(in *invocation) (string, error) {
	if file := in.env("APIGW_PROFILES"); file != "" {
		return file, nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", in.errorf("--profile: no folder for settings is known; name the file with --profiles FILE")
	}
	return filepath.Join(folder, "apigw", "profiles.json"), nil
}

// load finds the profile. If there is none of this name, those of the file are
// listed: mostly the name is mistyped.
func (f *profileFlags) load(in *invocation) (profile, error) {
	file := f.file
	if file == "" {
		var err error
		if file, err = profilesFile(in); err != nil {
			return profile{}, err
		}
	}
	data, err := strictjson.Load(file)
	if err != nil {
		return profile{}, in.errorf("--profile: %v", err)
	}
	profiles, err := parseProfiles(file, data)
	if err != nil {
		return profile{}, err
	}
	p, ok := profiles[f.name]
	if !ok {
		names := make([]string, 0, len(profiles))
		for name := range profiles {
			names = append(names, name)
		}
		slices.Sort(names)
		return profile{}, in.errorf("--profile: %s has no profile %q; it has %s", printable(file), shorten(f.name),
			cmp.Or(strings.Join(names, ", "), in.t("none", "空列表")))
	}
	return p, nil
}

// parseProfiles reads a file of profiles:
//
//	{"profiles": {"weather": {"key": "203753385", "secretEnv": "WEATHER_SECRET", "hosts": ["api.example.com"]}}}
//
// Secrets are named, never written: by a variable of the environment or by a
// file. Names of files count from the folder of this one. All faults are
// reported at once.
func parseProfiles(file string, data []byte) (map[string]profile, error) {
	f := &strictjson.File{Name: file, Data: data, Empty: `{"profiles": {}}`}
	profiles := map[string]profile{}
	err := f.Read(f.Object(map[string]strictjson.Reader{
		"profiles": f.Map(func(field strictjson.Field) {
			var p profile
			p.read(f, field)
			p.secretFile, p.policy = besides(file, p.secretFile), besides(file, p.policy)
			profiles[field.Name] = p
		}),
	}))
	return profiles, err
}

// read reads one profile. It knows the names that people would give a secret,
// and refuses them with the way to go: files of settings end up in repositories.
func (p *profile) read(f *strictjson.File, field strictjson.Field) {
	inline := func(field strictjson.Field) {
		f.Fail(field.At, "%s would be a secret in a file of settings: write secretEnv, a variable, or "+
			"secretFile, a file", strictjson.Quote(field.Name))
	}
	faults := f.Faults()
	f.Object(map[string]strictjson.Reader{
		"key": f.String(&p.key), "appCode": f.Bool(&p.appCode), "stage": f.String(&p.stage),
		"policy":    f.String(&p.policy),
		"secretEnv": f.String(&p.secretEnv), "secretFile": f.String(&p.secretFile),
		"hosts": f.List("host", `an array of hosts, such as ["api.example.com"]`, func(host strictjson.Field) {
			var name string
			f.String(&name)(host)
			p.hosts = append(p.hosts, name)
		}),
		"secret": inline, "appSecret": inline, "password": inline,
	})(field)
	if f.Faults() > faults {
		return
	}
	switch {
	case p.key != "" && p.appCode:
		f.Fail(field.At, "profile %s has both key and appCode: the gateway takes one of them",
			strictjson.Quote(field.Name))
	case p.secretEnv != "" && p.secretFile != "":
		f.Fail(field.At, "profile %s has both secretEnv and secretFile: keep one", strictjson.Quote(field.Name))
	case p.key == "" && !p.appCode && p.secretEnv+p.secretFile != "":
		f.Fail(field.At, `profile %s has a secret and nothing that it belongs to: add key, or "appCode": true`,
			strictjson.Quote(field.Name))
	}
}

// besides is a file named in another one.
func besides(file, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

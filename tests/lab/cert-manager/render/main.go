// Command render prints the objects that cert-manager's own Helm chart makes, as YAML: the chart of the module that the lab builds, with Helm's own engine.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	source := flag.String("source", "", "folder of the module github.com/cert-manager/cert-manager")
	version := flag.String("version", "", "version of the chart, such as v1.11.5")
	release := flag.String("release", "cert-manager", "name of the release")
	namespace := flag.String("namespace", "cert-manager", "namespace of the release")
	values := flag.String("values", "{}", "values, as YAML")
	flag.Parse()
	if err := render(*source, *version, *release, *namespace, *values); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(source, version, release, namespace, values string) error {
	files, err := chartFiles(source, version)
	if err != nil {
		return err
	}
	chart, err := loader.LoadFiles(files)
	if err != nil {
		return err
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return err
	}
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, given, options, chartutil.DefaultCapabilities)
	if err != nil {
		return err
	}
	rendered, err := engine.Render(chart, all)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(rendered))
	for name := range rendered {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(rendered[name]) != "" {
			fmt.Printf("---\n# %s\n%s\n", name, rendered[name])
		}
	}
	return nil
}

// chartFiles puts the chart together as the project's release does: the templates, the CRDs among them, and a Chart.yaml with the version.
func chartFiles(source, version string) ([]*loader.BufferedFile, error) {
	chart := fmt.Sprintf("apiVersion: v1\nname: cert-manager\nversion: %s\nappVersion: %s\n", version, version)
	files := []*loader.BufferedFile{{Name: "Chart.yaml", Data: []byte(chart)}}
	add := func(pattern, folder string) error {
		paths, err := filepath.Glob(filepath.Join(source, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files = append(files, &loader.BufferedFile{Name: folder + filepath.Base(path), Data: data})
		}
		return nil
	}
	for _, each := range [][2]string{
		{"deploy/charts/cert-manager/values.yaml", ""},
		{"deploy/charts/cert-manager/templates/*.yaml", "templates/"},
		{"deploy/charts/cert-manager/templates/*.tpl", "templates/"},
		{"deploy/crds/*.yaml", "templates/"},
	} {
		if err := add(each[0], each[1]); err != nil {
			return nil, err
		}
	}
	return files, nil
}

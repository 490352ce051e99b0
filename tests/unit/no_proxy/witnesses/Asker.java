// Copyright (c) 2026, kubeops.webhook_doctor contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.List;

/** For each line (a URL and system properties, separated by tabs) tries a request with these properties, and says "done". */
public class Asker {
    private static final List<String> PROPERTIES =
        List.of("http.proxyHost", "http.proxyPort", "https.proxyHost", "https.proxyPort", "http.nonProxyHosts", "https.nonProxyHosts");

    public static void main(String[] arguments) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split("\t", -1);
            PROPERTIES.forEach(System::clearProperty);
            for (int number = 1; number < words.length; number++) {
                int equals = words[number].indexOf('=');
                System.setProperty(words[number].substring(0, equals), words[number].substring(equals + 1));
            }
            try {
                HttpURLConnection connection = (HttpURLConnection) new URL(words[0]).openConnection();
                connection.setConnectTimeout(3000);
                connection.setReadTimeout(3000);
                connection.getResponseCode();
            } catch (IOException error) {
                // Nothing is there, with a proxy and without: who was asked is counted elsewhere.
            }
            System.out.println("done");
        }
    }
}
